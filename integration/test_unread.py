"""A shard that a worker owns and does not read is noticed: let go, taken up again, or the end."""

from __future__ import annotations

import psutil
import pytest

from integration.story import Stories, Tell, assert_replicated
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


def test_a_hand_over_that_its_workers_death_cut(story: Stories, tell: Tell) -> None:
    """The worker, started again, reads the shard that it was handing over to one that is gone."""
    told = story(lineages=1, preload=100, keys=100, rate=50.0)
    told.started().kill()
    (shard,) = told.leases()
    told.set_lease(shard, leaseOwner="next", checkpointOwner="worker-1")
    written = told.more_writes()
    told.start()
    took = until(written, "the shard is read", 60)
    verdict = told.simulator.settle(30)
    assert_replicated(verdict)
    tell("kill -9 during a hand-over", told, verdict, 1, f"read on in {took:.1f} s")


def test_a_shard_that_is_handed_over_while_it_waits_for_its_parent(
    story: Stories, tell: Tell
) -> None:
    """The KCL would renew it as a hand-over for ever, and nobody read it: it is handed over."""
    told = story(lineages=1, preload=100, keys=100, rate=0.0)
    told.simulator.control(rollover=None)
    told.simulator.faults(destination=[THROTTLE])
    worker = told.start()
    until(lambda: told.writes() > 3, "the parent is read, but cannot be written", 90)
    parent, child = sorted(told.leases())
    assert set(told.owners()) == {parent, child}
    told.set_lease(child, leaseOwner="next", checkpointOwner="worker-1")
    until(lambda: "checkpointOwner" not in told.leases()[child], "it is the next owner's", 20)
    told.simulator.faults(destination=[])
    told.simulator.control(load={"rate": 50.0})
    # There is no such worker, so its lease expires.
    took = until(lambda: told.owners().get(child) == "worker-1", "it is assigned", FAILOVER + 20)
    verdict = told.simulator.settle(30)
    assert worker.running()
    assert_replicated(verdict)
    measured = f"its next owner is gone: back after {took:.0f} s"
    tell("hand-over of a shard that waits for its parent", told, verdict, 1, measured)


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
    after = f"let go after {noticed:.0f} s, caught up {read:.0f} s later"
    measured = f"`unread_seconds: {UNREAD}`; {after}"
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


def test_shards_that_the_leader_can_give_to_nobody(story: Stories, tell: Tell) -> None:
    """Without its table of workers the KCL assigns nothing, which its own log alone says: once a
    shard waits for that, the daemon ends with 1, and the next start makes the table."""
    told = story({"unread_seconds": UNREAD}, lineages=1, preload=100, keys=100, rate=50.0)
    worker = told.started()
    told.drop_reports()
    told.simulator.control(rollover=None)
    noticed = until(lambda: "The daemon ends" in worker.log(), "the daemon ends", NOTICED + GRACE)
    assert worker.wait(GRACE + 15) == 1
    assert "is given to no worker" in worker.log()
    written = told.more_writes()
    told.start()
    took = until(written, "the shard is read", 60)
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    measured = f"`unread_seconds: {UNREAD}`; ends after {noticed:.0f} s, read on {took:.0f} s later"
    tell("the KCL's table of workers is deleted", told, verdict, 1, measured)


def test_a_shard_whose_end_waits_for_what_is_in_doubt(story: Stories, tell: Tell) -> None:
    """It is at work for a minute, proves its lease all along, and is not let go meanwhile."""
    told = story({"unread_seconds": UNREAD}, lineages=1, preload=100, keys=100, rate=50.0)
    worker = told.started()
    told.simulator.faults(destination=[{"kind": "reset-after", "share": 0.5}])
    until(lambda: "does not take every write" in worker.log(), "answers are lost")
    told.simulator.faults(destination=[])
    (shard,) = told.leases()
    told.simulator.control(rollover=None)
    until(lambda: told.leases()[shard]["checkpoint"] == "SHARD_END", "it has ended", 120)
    assert "it is let go" not in worker.log()
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    tell("a shard that ends in doubt", told, verdict, 1)


def _stands_still(worker: Worker) -> psutil.Process:
    """Stop one of its record processors, as a debugger does."""
    stands = worker.children()[0]
    stands.suspend()
    return stands
