"""Several workers: one is added, one stopped, one killed, the leader's host killed; many shards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until
from integration.worker import Worker

_LEADER = "the leader"

pytestmark = [pytest.mark.story, pytest.mark.drill, pytest.mark.timeout(400)]


def test_workers_come_and_go(story: Stories, tell: Tell) -> None:
    """Leases move to an added worker; a graceful stop hands over in 10 s; a kill -9 in 30 s."""
    told = story(lineages=4, preload=400, keys=400, rate=100.0)
    told.started("worker-1")
    second = told.start("worker-2")
    spread = until(_spread(told, "worker-1", "worker-2"), "leases move", 90)
    third = told.start("worker-3")
    until(_spread(told, "worker-1", "worker-2", "worker-3"), "leases move again", 90)
    assert told.leader() == "worker-1"

    told.simulator.control(reset_measurements=None)
    stopping = time.monotonic()
    third.ask_to_stop()
    until(_spread(told, "worker-1", "worker-2"), "its leases move", 60)
    told.caught_up(60)
    handover = time.monotonic() - stopping
    assert third.wait() == 0
    verdict = told.simulator.settle(60)
    assert verdict["replay"] == verdict["repeat"] == 0, "a graceful stop leaves nothing to repeat"
    assert_replicated(verdict)
    measured = f"all read again in {handover:.1f} s; a new worker has leases in {spread:.0f} s"
    tell("graceful stop of one worker of three", told, verdict, 1, measured)
    assert handover < 10

    took, verdict = _kill(told, second)
    tell("kill -9 of a worker that is not the leader", told, verdict, 1, f"read on in {took:.1f} s")
    assert took < 30


def test_a_deploy_is_rolled_over_a_fleet(story: Stories, tell: Tell) -> None:
    """As the page says: each worker in turn is stopped and started, then `health` is asked. No
    change is written twice, and none waits longer than the change of hands takes."""
    told = story(lineages=6, preload=600, keys=600, rate=100.0)
    told.started("worker-1")
    told.start("worker-2")
    told.start("worker-3")
    until(_spread(told, "worker-1", "worker-2", "worker-3"), "the leases are spread", 120)
    told.simulator.control(load={"rate": 50.0})
    told.simulator.control(reset_measurements=None)
    began = time.monotonic()
    for old in list(told.workers):
        old.ask_to_stop()
        assert old.wait() == 0
        told.workers.remove(old)
        told.start(old.name)
        names = [worker.name for worker in told.workers]
        until(_spread(told, *names), "the new one has leases", 120)
        until(lambda: told.run("health").returncode == 0, "the task is healthy", 60, every=1.0)
    took = time.monotonic() - began
    told.caught_up(60)
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    assert verdict["replay"] == verdict["repeat"] == 0, "a graceful stop leaves nothing to repeat"
    longest = verdict["latency_ms"]["max"] / 1000
    measured = f"{took:.0f} s for three; no change waited longer than {longest:.1f} s"
    tell("a deploy rolled over three workers", told, verdict, 1, measured)
    assert longest < 5


def test_the_leader_is_killed(story: Stories, tell: Tell) -> None:
    """The shards of a killed leader's host are read on within 30 s, by a new leader."""
    told = story(lineages=4, preload=400, keys=400, rate=100.0)
    leader = told.started("worker-1")
    told.start("worker-2")
    until(_spread(told, "worker-1", "worker-2"), "leases move", 90)
    assert told.leader() == "worker-1"
    took, verdict = _kill(told, leader)
    tell("kill -9 of the leader's host", told, verdict, 1, f"read on in {took:.1f} s")
    assert told.leader() == "worker-2"
    assert took < 35


@pytest.mark.parametrize(
    ("who", "goal"), [("a worker that is not the leader", 20.0), (_LEADER, 30.0)]
)
def test_one_of_three_with_many_shards_is_killed(
    story: Stories, tell: Tell, who: str, goal: float
) -> None:
    """Of 96 shards, a third is read on by the two workers that are left."""
    told = story(lineages=96, preload=960, keys=9_600, rate=300.0)
    told.started("worker-1")
    told.start("worker-2")
    told.start("worker-3")
    until(_even(told, 96 // 4), "the leases are spread", 120, every=1.0)
    leader = told.leader()
    leads = who == _LEADER
    victim = next(worker for worker in told.workers if (worker.name == leader) == leads)
    theirs = sum(owner == victim.name for owner in told.owners().values())
    told.simulator.control(reset_measurements=None)
    began = time.monotonic()
    victim.kill()
    # Each of the shards has changes while nobody reads it.
    time.sleep(5)
    told.caught_up(120)
    took = time.monotonic() - began
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    fault = f"kill -9 of {who}, three workers with 96 shards"
    tell(fault, told, verdict, 1, f"its {theirs} shards read on in {took:.1f} s")
    assert took < goal


def _kill(told: Story, worker: Worker) -> tuple[float, dict[str, Any]]:
    """Kill while changes flow; give the seconds until every change is there, and the verdict."""
    told.simulator.control(load={"rate": 100.0})
    until(told.more_writes(20), "changes flow")
    assert worker.name in told.owners().values()
    began = time.monotonic()
    worker.kill()
    # Changes that fall on its shards while nobody reads them.
    until(told.more_writes(20), "the other shards are read", 120)
    told.caught_up(120)
    took = time.monotonic() - began
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    return took, verdict


def _even(told: Story, least: int) -> Callable[[], bool]:
    """A condition: each worker has so many leases, and none is being handed over."""

    def even() -> bool:
        leases = told.leases().values()
        owners = Counter(str(lease.get("leaseOwner")) for lease in leases)
        moving = any("checkpointOwner" in lease for lease in leases)
        return not moving and all(owners[worker.name] >= least for worker in told.workers)

    return even


def _spread(told: Story, *workers: str) -> Callable[[], bool]:
    """A condition: each of these workers has leases and is at work on them, and nobody else."""

    def spread() -> bool:
        running = [worker for worker in told.workers if worker.name in workers]
        at_work = all(worker.children() for worker in running if worker.running())
        return at_work and set(told.owners().values()) == set(workers)

    return spread
