"""A shard that a worker owns and does not read is noticed: let go, taken up again, or the end."""

from __future__ import annotations

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story

THROTTLE = {"kind": "ProvisionedThroughputExceededException", "operation": "BatchWriteItem"}
# The shortest that a task may have, in seconds.
UNREAD = 30
# Rounds of the watch are an eighth of it apart.
NOTICED = UNREAD * 9 / 8 + 5
FAILOVER = 10


@pytest.mark.drill
@pytest.mark.timeout(300)
def test_a_record_processor_that_stands_still(story: Stories, tell: Tell) -> None:
    """Its shard is let go and read by a new one; stands that still, too, the daemon ends with 1."""
    told = story({"unread_seconds": UNREAD}, lineages=2, preload=100, keys=100, rate=50.0)
    worker = told.started()
    until(lambda: len(worker.children()) == 2, "both shards are read", 30)
    stands, goes_on = worker.children()
    stands.suspend()
    noticed = until(lambda: "it is let go" in worker.log(), "its shard is let go", NOTICED)
    read = until(lambda: len(worker.children()) == 3, "a new one is started", FAILOVER + 10)
    told.caught_up(30)
    told.simulator.control(load={"rate": 50.0})
    (new,) = set(worker.children()) - {stands, goes_on}
    new.suspend()
    assert worker.wait(2 * NOTICED + 45) == 1
    assert "The daemon ends" in worker.log()
    assert worker.log().count("it is let go") == 1
    for child in (stands, new):
        child.kill()
    told.started()
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    measured = f"let go after {noticed:.0f} s, read {read:.1f} s later"
    tell("a record processor that stands still", told, verdict, 2, measured)


def _counter(told: Story, shard: str) -> int:
    return int(told.leases()[shard]["leaseCounter"])
