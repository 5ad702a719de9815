"""A source that throttles, fails and lets iterators expire: no loss, no exit."""

from __future__ import annotations

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story


def test_everything_at_once(story: Stories, tell: Tell) -> None:
    """Throttling, errors, resets, empty pages and expired iterators are read through."""
    told = story(lineages=2, preload=1000, keys=300, rate=150.0)
    worker = told.started()
    told.simulator.faults(
        source=[
            {"kind": "LimitExceededException", "operation": "GetRecords", "share": 0.2},
            {"kind": "ProvisionedThroughputExceededException", "share": 0.1},
            {"kind": "ExpiredIteratorException", "operation": "GetRecords", "share": 0.2},
            {"kind": "InternalServerError", "share": 0.2},
            {"kind": "reset", "share": 0.1},
            {"kind": "empty", "operation": "GetRecords", "share": 0.2},
        ]
    )
    told.simulator.control(rollover=None)
    until(told.more_writes(60), "changes arrive all the same", 120)
    told.simulator.faults(source=[])
    verdict = told.simulator.settle(60)
    assert worker.running() and worker.stop() == 0
    assert_replicated(verdict)
    tell("source: throttling, errors, resets, expired iterators", told, verdict)


@pytest.mark.drill
def test_an_outage_of_a_minute(story: Stories, tell: Tell) -> None:
    """Away for a minute, the source is read on as soon as it is back."""
    told = story(lineages=2, preload=500, keys=500, rate=100.0)
    worker = told.started()
    told.simulator.control(outage={"endpoint": "source", "seconds": 60})
    until(lambda: not _away(told), "the source is back", 90)
    arrives = told.more_writes()
    took = until(arrives, "changes arrive again", 60)
    verdict = told.simulator.settle(60)
    assert worker.running(), worker.log()
    assert_replicated(verdict)
    tell("source away for 60 s", told, verdict, 1, f"first change {took:.1f} s after its return")


def _away(told: Story) -> bool:
    try:
        told.simulator.status()
    except OSError:
        return True
    return False
