"""A stop is a stop: it ends in time with exit code 0, and nothing is started once it has begun."""

from __future__ import annotations

import signal

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until
from integration.worker import Worker
from kcl_processor.replicate.fork_server import PROCESSES

pytestmark = pytest.mark.story

# shutdownGraceMillis.
GRACE = 30


def test_a_worker_that_lived_through_rollovers_stops(story: Stories, tell: Tell) -> None:
    """Right after a rollover and a split a lone worker stops in time; so does its next life."""
    told = story(lineages=3, preload=200, keys=200, rate=100.0)
    worker = told.started()
    told.simulator.control(rollover=None)
    _children_are_read(told, 3)
    told.simulator.control(split=0)
    _children_are_read(told, 5)
    took = _stop(worker)
    assert set(told.owners().values()) == {"worker-1"}, "a restart takes them up at once"
    again = told.started()
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    assert verdict["replay"] == verdict["repeat"] == 0, "a graceful stop leaves nothing to repeat"
    tell("SIGTERM right after a rollover and a split", told, verdict, 1, f"ended in {took:.1f} s")
    _stop(again)


def test_a_worker_whose_terminal_goes_stops(story: Stories) -> None:
    """A lost login sends SIGHUP to the whole group; that is no crash."""
    told = story(lineages=2, preload=20, keys=20, rate=20.0)
    worker = told.started()
    worker.signal_host(signal.SIGHUP)
    assert worker.wait(GRACE) == 0, worker.log()
    assert told.status()["state"] == "stopped"


def test_a_worker_that_is_starting_its_shards_stops(story: Stories) -> None:
    """A stop that comes while record processors start waits for those, and starts no others."""
    told = story(lineages=12, preload=200, keys=200, rate=100.0)
    worker = told.start()
    # The first child of all is the look at Java's version.
    until(lambda: len(worker.children()) > 1, "the first record processors start", 60)
    worker.ask_to_stop()
    assert worker.wait(GRACE + 5) == 0, worker.log()
    assert told.status()["state"] == "stopped"


@pytest.mark.parametrize(
    "kind",
    ["silence", pytest.param("ProvisionedThroughputExceededException", marks=pytest.mark.drill)],
)
def test_a_stop_while_the_destination_takes_nothing(story: Stories, tell: Tell, kind: str) -> None:
    """It ends gracefully in its grace: what cannot be written is read again by the next start."""
    told = story(lineages=2, preload=100, keys=100, rate=50.0)
    worker = told.started()
    told.simulator.faults(destination=[{"kind": kind, "operation": "BatchWriteItem"}])
    until(told.more_changes(100), "there is something to write")
    took = _stop(worker)
    told.simulator.faults(destination=[])
    told.started()
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    tell(f"SIGTERM while the destination is away ({kind})", told, verdict, 1, f"{took:.1f} s")


def test_how_a_worker_ended_is_told(story: Stories) -> None:
    """Killed or stopped, `status` says which it was, whether anybody runs, and since when."""
    told = story(lineages=2, preload=200, keys=200, rate=50.0)
    told.started().kill()
    killed = told.status()
    # A failover time after its last sign it is dead, however long this host takes to ask.
    assert killed["state"] in ("dying", "dead") and killed["severity"] != "ok"
    assert [end["code"] for end in killed["endings"]] == [None]
    assert "ended without a word" in killed["reasons"][-1]
    worker = told.started()
    assert told.status()["endings"] == [], "who runs has not ended"
    _stop(worker)
    assert worker.log().endswith("stopped gracefully, exit code 0\n"), "stderr has it, too"
    stopped = told.status()
    assert (stopped["state"], stopped["severity"]) == ("stopped", "ok")
    assert [end["code"] for end in stopped["endings"]] == [0]
    assert set(told.owners().values()) == {"worker-1"}, "it keeps its shards in its name"


@pytest.mark.drill
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shards", [1, 100])
def test_any_number_of_shards_stops(shards: int, story: Stories, tell: Tell) -> None:
    """One shard or a hundred, the second generation of each: the stop is in time."""
    # Keys enough for each shard to have some: a child is seen to begin by its parent's changes.
    told = story(lineages=shards, preload=2000, keys=2000, rate=50.0)
    worker = told.started()
    _all_at_work(told, worker, shards, 400)
    told.simulator.control(rollover=None)
    _children_are_read(told, shards)
    _all_at_work(told, worker, shards, 120)
    took = _stop(worker)
    told.started()
    verdict = told.simulator.settle(180)
    assert_replicated(verdict)
    tell(f"SIGTERM to a worker of {shards} shards", told, verdict, 1, f"ended in {took:.1f} s")


@pytest.mark.drill
@pytest.mark.timeout(600)
@pytest.mark.parametrize("leader", [True, False])
def test_a_worker_of_a_fleet_stops(story: Stories, tell: Tell, *, leader: bool) -> None:
    """After rollovers, the leader or another stops: its shards are read on in five seconds."""
    told = story(lineages=4, preload=400, keys=400, rate=100.0)
    told.started("worker-1")
    told.start("worker-2")
    until(lambda: set(told.owners().values()) == {"worker-1", "worker-2"}, "leases move", 90)
    for generation in range(2):
        told.simulator.control(rollover=None)
        _children_are_read(told, 4 * (generation + 1))
    assert told.leader() == "worker-1"
    stays, leaves = sorted(told.workers, key=lambda worker: (worker.name == "worker-1") == leader)
    told.simulator.control(reset_measurements=None)
    leaves.ask_to_stop()
    moved = until(lambda: set(told.owners().values()) == {stays.name}, "its shards move", 60)
    assert leaves.wait(GRACE) == 0, leaves.log()
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    assert verdict["replay"] == verdict["repeat"] == 0, "a graceful stop leaves nothing to repeat"
    who = "the leader" if leader else "a worker that does not lead"
    tell(f"SIGTERM to {who} after rollovers", told, verdict, 1, f"moved in {moved:.1f} s")
    assert moved < 5


@pytest.mark.drill
def test_a_worker_whose_fleet_has_too_few_shards_stops(story: Stories, tell: Tell) -> None:
    """Another stands by without a lease: it reads on in five seconds, not a failover later."""
    told = story(lineages=1, preload=100, keys=100, rate=50.0)
    worker = told.started("worker-1")
    told.start("worker-2")
    until(lambda: told.status()["workers"] == 2, "the other stands by", 60)
    assert set(told.owners().values()) == {"worker-1"}
    worker.ask_to_stop()
    moved = until(lambda: set(told.owners().values()) == {"worker-2"}, "its shard moves", 60)
    assert worker.wait(GRACE) == 0, worker.log()
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    tell("SIGTERM beside a worker that stands by", told, verdict, 1, f"moved in {moved:.1f} s")
    assert moved < 5


def _stop(worker: Worker) -> float:
    """Stop a worker that is at work; give the seconds it took. Nothing may start meanwhile."""
    before = {child.pid for child in worker.children()}

    def ended() -> bool:
        started = {child.pid for child in worker.children()} - before
        assert not started, f"record processors started during the stop: {worker.log()}"
        return not worker.running()

    worker.ask_to_stop()
    took = until(ended, "it ends", GRACE)
    assert worker.wait() == 0, worker.log()
    return took


def _children_are_read(told: Story, shards: int) -> None:
    """Wait until that many children of shards have begun to arrive."""

    def read() -> bool:
        return len(told.simulator.verdict()["rollover_pauses_s"]) >= shards

    until(read, f"{shards} children begin", 120)


def _all_at_work(told: Story, worker: Worker, shards: int, seconds: float) -> None:
    """Wait until there are the processes that read them, and the destination is not behind."""

    def at_work() -> bool:
        read = len(worker.children()) == min(shards, PROCESSES)
        return read and told.simulator.status()["behind"] < 10

    until(at_work, f"{shards} shards are at work", seconds)
