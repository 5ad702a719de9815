"""A worker sleeps past its failover time with unsent writes in hand, and wakes: it writes none."""

from __future__ import annotations

import signal

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until

pytestmark = [pytest.mark.story, pytest.mark.drill, pytest.mark.timeout(400)]

THROTTLE = {"kind": "ProvisionedThroughputExceededException", "operation": "BatchWriteItem"}


def test_a_paused_worker_wakes_as_nobody(story: Stories, tell: Tell) -> None:
    """Three times over, no old image comes after a newer one that the new owner wrote."""
    told = story(lineages=2, preload=200, keys=40, rate=80.0)
    told.started("worker-1")
    for successor in ("worker-2", "worker-3", "worker-4"):
        _sleep_and_wake(told, successor)
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    assert verdict["writers"] > 6
    tell("worker paused past failover with unsent retries, then continued", told, verdict, 3)


def _sleep_and_wake(told: Story, successor: str) -> None:
    worker = told.workers[-1]
    told.simulator.control(load={"rate": 80.0})
    told.simulator.faults(destination=[THROTTLE])
    until(told.more_writes(6), "the sleeper holds writes that it retries")
    worker.signal_host(signal.SIGSTOP)
    told.simulator.faults(destination=[])
    told.start(successor)
    until(lambda: _all_of(told, successor), f"{successor} takes the leases", 120)
    until(told.more_writes(20), "newer versions are written", 60)
    seen = told.writes()
    worker.signal_host(signal.SIGCONT)
    # Every retry of the sleeper was due long ago: what it sends, it sends now.
    until(lambda: told.writes() > seen + 40, "it had its chance", 60)
    worker.kill()


def _all_of(told: Story, worker: str) -> bool:
    return set(told.owners().values()) == {worker}
