"""A pause holds everything back, on all workers, while it stands; then nothing is missing."""

from __future__ import annotations

import json

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until
from kcl_processor.config.task import Task
from kcl_processor.fleet.pause import IN_FORCE

pytestmark = pytest.mark.story


def test_a_paused_fleet_lets_nothing_out_and_loses_nothing(story: Stories, tell: Tell) -> None:
    """Over a kill, a stop and a start anew, with rollovers; health and status say what it is."""
    told = story(lineages=3, preload=100, keys=100, rate=60.0)
    killed = told.started("worker-1")
    told.started("worker-2")
    paused = told.run("pause")
    assert paused.returncode == 0, paused.stderr
    until(lambda: _is_still(told), "nothing is written any more", 3 * IN_FORCE)
    status = told.status()
    assert (status["state"], status["severity"]) == ("paused", "ok"), status
    assert "paused by " in status["reasons"][0]
    healthy = told.run("health")
    assert healthy.returncode == 0 and "paused by " in healthy.stdout, healthy.stdout
    before = told.writes()
    told.simulator.control(rollover=None)
    killed.kill()
    stopped = told.start("worker-3")
    until(lambda: "worker-3" in told.owners().values(), "it has a shard", 60)
    assert stopped.stop() == 0, stopped.log()
    assert _is_still(told) and told.writes() == before, "neither a start nor a stop lets it out"
    assert told.simulator.status()["behind"] > 0
    assert told.run("resume").returncode == 0
    until(told.more_writes(5), "it goes on", 60)
    verdict = told.simulator.settle(90)
    assert_replicated(verdict)
    tell("a pause of the fleet, a kill and a stop in it", told, verdict, 1)


@pytest.mark.drill
def test_one_shard_is_paused_alone(story: Stories) -> None:
    """The others go on, and a graceful stop of its worker loses nothing of it."""
    told = story(lineages=2, preload=60, keys=60, rate=60.0)
    worker = told.started()
    shard = min(told.leases())
    paused = told.run("pause", "--shard", shard, "--json")
    assert paused.returncode == 0, paused.stderr
    assert [one["shard"] for one in json.loads(paused.stdout)] == [shard]
    until(lambda: shard in str(told.status()["reasons"]), "the pause is seen")
    # Until it is in force, and what was written before has its checkpoint.
    until(told.more_changes(60 * (IN_FORCE + 2 * Task.checkpoint_seconds)), "changes are made")
    held = told.leases()[shard]["checkpoint"]
    until(told.more_writes(20), "the other goes on", 30)
    assert told.leases()[shard]["checkpoint"] == held
    assert told.status()["state"] == "running"
    assert worker.stop() == 0, worker.log()
    told.run("resume", "--shard", shard)
    told.started()
    assert_replicated(told.simulator.settle(90))


def _is_still(told: Story) -> bool:
    """Whether nothing was written for as long as a worker takes between two looks, and more."""
    before = told.writes()
    until(told.more_changes(60 * IN_FORCE // 2), "changes are made")
    return told.writes() == before


def test_a_stop_in_a_pause_leaves_the_last_records_of_a_shard(story: Stories) -> None:
    """They come with the shard's end, and a worker that stops has not read it to its end."""
    told = story(lineages=2, preload=40, keys=40, rate=40.0)
    worker = told.started()
    assert worker.stop() == 0, worker.log()
    closed = set(told.leases())
    assert told.run("pause").returncode == 0
    until(told.more_changes(40), "changes are made")
    told.simulator.control(rollover=None)
    begun = worker.log().count("starts at")
    worker = told.start()
    until(lambda: worker.log().count("starts at") == begun + len(closed), "they are read", 60)
    until(told.more_changes(120), "changes are made")
    before = told.writes()
    assert worker.stop() == 0, worker.log()
    assert told.writes() == before
    ends = {told.leases()[shard]["checkpoint"] for shard in closed}
    assert "SHARD_END" not in ends, "what waits is left to the next owner"
    assert told.run("resume").returncode == 0
    told.started()
    assert_replicated(told.simulator.settle(90))
