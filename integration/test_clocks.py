"""Hosts whose clocks are wrong: who lives is told by what moves."""

from __future__ import annotations

import time

import pytest

from integration.story import Stories, Tell, assert_replicated
from integration.until import until

pytestmark = [pytest.mark.story, pytest.mark.drill]


def test_a_worker_that_died_with_its_clock_ahead(story: Stories, tell: Tell) -> None:
    """No shard is given to it, by sharing the work or after a rollover, though its last report is
    of an hour from now."""
    told = story(lineages=4, preload=200, keys=200, rate=50.0)
    worker = told.started()
    told.leave_report("gone", time.time() + 3600)
    until(told.more_changes(1000), "the work is shared some times", 60)
    told.simulator.control(rollover=None)
    until(lambda: told.simulator.verdict()["rollover_pauses_s"][3:], "its children are read", 30)
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    assert " to gone: " not in worker.log()
    tell("a dead worker whose clock was an hour ahead", told, verdict, 1)
