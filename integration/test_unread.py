"""A shard that a worker owns and does not read is noticed: let go, taken up again, or the end."""

from __future__ import annotations

import psutil
import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until
from integration.worker import Worker

pytestmark = [pytest.mark.story, pytest.mark.drill, pytest.mark.timeout(300)]

THROTTLE = {"kind": "ProvisionedThroughputExceededException", "operation": "BatchWriteItem"}
# The shortest that a task may have, in seconds.
UNREAD = 30
# Rounds of the watch are an eighth of it apart.
NOTICED = UNREAD * 9 / 8 + 5
FAILOVER = 10
GRACE = 30


def test_a_record_processor_that_stands_still(story: Stories, tell: Tell) -> None:
    """Its shard is let go, and a new one reads it, whose destination never sees an older image."""
    told = story({"unread_seconds": UNREAD}, lineages=2, preload=100, keys=100, rate=50.0)
    worker = told.started()
    stands = _stands_still(worker)
    noticed = until(lambda: "it is let go" in worker.log(), "its shard is let go", NOTICED)
    read = told.caught_up(FAILOVER + 20)
    stands.resume()
    told.simulator.control(load={"rate": 50.0})
    until(told.more_writes(100), "it has had its chance")
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    measured = f"let go after {noticed:.0f} s, caught up {read:.0f} s later"
    tell("a record processor that stands still", told, verdict, 1, measured)


def test_a_shard_that_stays_silent_ends_the_daemon(story: Stories) -> None:
    """With 1 and a reason, if it was let go and its next record processor does not start either."""
    told = story({"unread_seconds": UNREAD}, lineages=1, preload=100, keys=100, rate=50.0)
    worker = told.started()
    stands = _stands_still(worker)
    until(lambda: "it is let go" in worker.log(), "its shard is let go", NOTICED)
    until(lambda: len(worker.children()) == 2, "a new one is started", FAILOVER + 10)
    (new,) = set(worker.children()) - {stands}
    new.suspend()
    until(lambda: "The daemon ends" in worker.log(), "the daemon ends", NOTICED)
    assert worker.wait(GRACE + 15) == 1
    assert worker.log().count("it is let go") == 1
    for child in (stands, new):
        child.kill()


def _stands_still(worker: Worker) -> psutil.Process:
    """Stop one of its record processors, as a debugger does."""
    stands = worker.children()[0]
    stands.suspend()
    return stands
