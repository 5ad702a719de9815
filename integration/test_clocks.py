"""Hosts whose clocks are wrong: who lives is told by what moves."""

from __future__ import annotations

import time

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until

pytestmark = [pytest.mark.story, pytest.mark.drill]


def test_a_worker_that_died_with_its_clock_ahead(story: Stories, tell: Tell) -> None:
    """No shard is given to it, nor stays with it, for as long as its last report is of later."""
    told = story(lineages=4, preload=200, keys=200, rate=50.0)
    told.started()
    told.leave_report("gone", time.time() + 3600)
    told.simulator.control(reset_measurements=None)
    told.simulator.control(rollover=None)
    read = until(lambda: len(_pauses(told)) == 4, "the four children are read", 30)
    assert set(told.owners().values()) == {"worker-1"}
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    tell(
        "a dead worker whose clock was an hour ahead", told, verdict, 1, f"read on in {read:.1f} s"
    )


def _pauses(told: Story) -> list[float]:
    pauses: list[float] = told.simulator.verdict()["rollover_pauses_s"]
    return pauses
