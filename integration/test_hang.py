"""A destination that takes a request and never answers holds a shard for seconds, not for ever."""

from __future__ import annotations

import pytest

from integration.story import Stories, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story


def test_a_request_without_an_answer_is_made_again(story: Stories, tell: Tell) -> None:
    """Requests that hang for ten minutes are given up after ten seconds, and nothing is lost."""
    told = story(lineages=1, preload=100, keys=50, rate=20.0)
    worker = told.started()
    hang = {"kind": "latency", "operation": "BatchWriteItem", "milliseconds": 600_000}
    told.simulator.faults(destination=[hang])
    until(told.more_writes(1), "a request hangs")
    told.simulator.faults(destination=[])
    until(lambda: "ReadTimeoutError" in worker.log(), "the request is given up", 20)
    verdict = told.simulator.settle(30)
    assert worker.running() and worker.stop() == 0
    assert_replicated(verdict)
    tell("a request is never answered", told, verdict)
