"""A destination that throttles, fails, resets and goes away: no loss, no exit, full speed after."""

from __future__ import annotations

import time

import pytest

from integration.story import Stories, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story

THROTTLE = "ProvisionedThroughputExceededException"


def test_everything_at_once(story: Stories, tell: Tell) -> None:
    """Throttling, unprocessed items, errors and resets after the write cost time and no change."""
    told = story(lineages=2, preload=1000, keys=300, rate=150.0)
    told.simulator.faults(destination=_faults(0.5, 0.2, 0.1))
    worker = told.started()
    until(told.more_writes(120), "120 calls, most of them in vain")
    told.simulator.faults(destination=[])
    until(lambda: "takes writes again" in worker.log(), "the log says that it is over", 30)
    verdict = told.simulator.settle(30)
    assert worker.running() and worker.stop() == 0
    assert_replicated(verdict)
    tell("destination: throttling 50 %, errors 20 %, resets 10 %", told, verdict)


@pytest.mark.drill
def test_heavy_throttling(story: Stories, tell: Tell) -> None:
    """Of ten calls nine are throttled, two fail and one is reset: the rest brings every change."""
    told = story(lineages=2, preload=2000, keys=500, rate=100.0)
    told.simulator.faults(destination=_faults(0.9, 0.2, 0.1))
    worker = told.started()
    until(told.more_writes(600), "600 calls, most of them in vain", 200)
    told.simulator.faults(destination=[])
    verdict = told.simulator.settle(60)
    assert worker.running(), worker.log()
    assert_replicated(verdict)
    tell("destination: throttling 90 %, errors 20 %, resets 10 %", told, verdict)


@pytest.mark.drill
@pytest.mark.timeout(500)
def test_an_outage_of_three_minutes(story: Stories, tell: Tell) -> None:
    """Away for three minutes, the destination has every change ten seconds after its return."""
    told = story(lineages=4, preload=500, keys=2000, rate=100.0)
    worker = told.started()
    told.simulator.control(outage={"endpoint": "destination", "seconds": 180})
    time.sleep(180)
    back = time.monotonic()
    before = told.simulator.status()["behind"]
    until(lambda: told.simulator.status()["behind"] < before / 10, "it catches up", 60)
    took = time.monotonic() - back
    verdict = told.simulator.settle(60)
    assert worker.running(), worker.log()
    assert_replicated(verdict)
    assert took < 10
    measured = f"{before} keys behind at its end, caught up {took:.1f} s later"
    tell("destination away for 180 s", told, verdict, 1, measured)


def _faults(throttled: float, errors: float, resets: float) -> list[dict[str, object]]:
    return [
        {"kind": "latency", "milliseconds": 20},
        {"kind": "unprocessed", "operation": "BatchWriteItem", "share": throttled / 2},
        {"kind": THROTTLE, "operation": "BatchWriteItem", "share": throttled},
        {"kind": "InternalServerError", "operation": "BatchWriteItem", "share": errors},
        {"kind": "reset", "operation": "BatchWriteItem", "share": resets / 2},
        {"kind": "reset-after", "operation": "BatchWriteItem", "share": resets / 2},
    ]
