"""What operators see of a real fleet: two workers, a rollover, a split, a worker killed, a stop.

One story, told once; the tests ask about its chapters. It ends with both ways back: a reset and
its undoing.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.fleet import Fleet, fleet
from integration.until import until
from kcl_processor.errors import ExitCode
from kcl_processor.operate import iam

Asked = subprocess.CompletedProcess[str]


class Story:
    """The fleet, and what commands answered in each chapter."""

    def __init__(self, told_of: Fleet) -> None:
        self.fleet = told_of
        self.answers: dict[str, Asked] = {}
        self.actions: dict[str, set[str]] = {}

    def note(self, chapter: str, *words: str) -> None:
        self.answers[chapter] = self.fleet.ask(*words)

    def json(self, chapter: str) -> Any:
        return json.loads(self.answers[chapter].stdout)

    def states(self, chapter: str) -> list[str]:
        return [view["state"] for view in self.json(chapter)]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("views")
    with fleet(folder, lineages=4, preload=400, rate=40.0) as made:
        told = Story(made)
        _two_workers(told)
        _rollover(told)
        _killed(told)
        _stopped(told)
        yield told


def _two_workers(told: Story) -> None:
    told.fleet.start("worker-1")
    told.fleet.start("worker-2")
    until(lambda: _owners(told) == {"worker-1", "worker-2"}, "both workers own shards", 90)
    # Twice, so that the rates of both readings of a heartbeat are known.
    until(lambda: _heartbeats(told), "record processors leave heartbeats", 90)


def _rollover(told: Story) -> None:
    told.fleet.simulator.control(rollover=0)
    told.fleet.simulator.control(split=1)
    until(lambda: _counts(told) == (2, 5), "two shards end, three begin", 90)
    told.note("leases", "leases", "--json")
    told.note("tree", "leases", "--tree")
    told.note("status", "status", "--json")
    told.note("health", "health")
    told.note("doctor", "doctor", "--json")
    told.note("reset while running", "leases", "reset", "--yes")
    told.note("unlock while running", "leases", "unlock-leader", "--yes")


def _killed(told: Story) -> None:
    told.fleet.workers["worker-2"].kill()
    # Otherwise its last sign of life counts until the next one is late.
    told.note("leases after kill", "leases", "--thorough", "--json")
    until(
        lambda: _owners(told) == {"worker-1"} and _counts(told) == (2, 5),
        "the other worker takes all shards",
        90,
    )


def _stopped(told: Story) -> None:
    told.note("health --local", "health", "--local")
    assert told.fleet.workers["worker-1"].stop() == 0
    told.actions = {name: set(side.actions) for name, side in told.fleet.sides.items()}
    told.note("status stopped", "status", "--json")
    told.note("health stopped", "health", "--local")
    told.note("leases stopped", "leases", "--json", "--no-wait")
    told.note("events", "events", "--json")
    told.note("events in words", "events")


def _owners(told: Story) -> set[str]:
    return {lease["leaseOwner"] for lease in _leases(told) if _is_owned(lease)}


def _counts(told: Story) -> tuple[int, int]:
    """Leases of shards that are read to their end, and others that somebody owns."""
    leases = _leases(told)
    ended = sum(lease["checkpoint"] == "SHARD_END" for lease in leases)
    return ended, sum(map(_is_owned, leases))


def _leases(told: Story) -> list[dict[str, Any]]:
    """KCL's table, to wait for: a command for each look would take the CPU from the daemons."""
    return list(told.fleet.rows().values())


def _is_owned(lease: dict[str, Any]) -> bool:
    return lease["checkpoint"] != "SHARD_END" and "leaseOwner" in lease


def _heartbeats(told: Story) -> bool:
    return any(told.fleet.state("worker-1").glob("orders.workers/worker-1/shards/*.json"))


def test_events_tell_who_took_what_from_whom_and_why(story: Story) -> None:
    """Of both hosts: starts, ends of shards, the shards of the one that was killed, the stop."""
    told = story.json("events")
    whats = {event["what"] for event in told if event["teller"] == "worker-1"}
    assert {"started", "stopping", "stopped"} < whats, story.answers["events in words"].stdout
    # Who is killed tells nothing, and its state directory is another host's here.
    assert {event["what"] for event in told if event["teller"] == "worker-2"} >= {"started"}
    assert "died" not in whats
    taken = [event for event in told if event["what"] == "moved" and event["from"] == "worker-2"]
    late = [event for event in taken if event["why"].startswith("not renewed for ")]
    assert late and {event["to"] for event in late} == {"worker-1"}
    assert sum(event["what"] == "ended" for event in told) == 2
    log = "".join(path.read_text() for path in story.fleet.folder.rglob("*connectors.log"))
    assert "moved from worker-2 to worker-1: not renewed for " in log


def test_leases_joins_rows_and_shards(story: Story) -> None:
    """Each shard shows its state, its living owner, and its parents and children."""
    views = {view["shard"]: view for view in story.json("leases")}
    active = [view for view in views.values() if view["state"] == "active"]
    assert len(active) == 5
    assert {view["owner"] for view in active} <= {"worker-1", "worker-2"}
    assert all(view["moving"] for view in active)
    ended = [view for view in views.values() if view["state"] == "ended"]
    assert sorted(len(view["children"]) for view in ended) == [1, 2]
    for view in ended:
        assert all(views[child]["parents"] == [view["shard"]] for child in view["children"])


def test_the_tree_puts_children_below_their_parents(story: Story) -> None:
    """A rolled-over shard has one branch, a split one two."""
    branches = [line[:2] for line in story.answers["tree"].stdout.splitlines()]
    assert branches.count("├─") == 1
    assert branches.count("└─") == 2


def test_a_running_fleet_is_running_and_healthy(story: Story) -> None:
    """Two workers, no shard without an owner, no lag to speak of; exit code 0."""
    (status,) = story.json("status")
    assert (status["state"], status["workers"], status["shards"]) == ("running", 2, 5)
    assert status["lag"] < 60
    assert story.answers["status"].returncode == 0
    assert story.answers["health"].returncode == 0, story.answers["health"].stdout


def test_the_doctor_finds_nothing_wrong(story: Story) -> None:
    """Every check of a fleet at work passes, and the checks change nothing in KCL's tables."""
    failed = [check for check in story.json("doctor") if check["result"] == "fail"]
    assert failed == []
    keys = {view["shard"] for view in story.json("leases stopped")}
    assert all(key.startswith("shardId-") for key in keys)


def test_a_living_fleet_is_not_reset(story: Story) -> None:
    """Neither checkpoints nor the leader's lock are touched while a worker gives signs of life."""
    assert story.answers["reset while running"].returncode == ExitCode.CONFIG
    assert "is running" in story.answers["reset while running"].stderr
    assert story.answers["unlock while running"].returncode == 1
    assert "signs of life" in story.answers["unlock while running"].stderr


def test_a_killed_workers_shards_are_dying(story: Story) -> None:
    """Right after a kill the dead worker's leases stand still, the other's move."""
    owned = [view for view in story.json("leases after kill") if view["state"] != "ended"]
    still = {view["state"] for view in owned if view["owner"] == "worker-2"}
    # A machine that is busy may take a failover to look, or until all are taken over.
    assert still in ({"dying"}, {"dead"}, set())
    assert {view["state"] for view in owned if view["owner"] == "worker-1"} == {"active"}


def test_a_stopped_task_is_not_running(story: Story) -> None:
    """After a graceful stop no worker lives or is missed, and no heartbeat is left."""
    (status,) = story.json("status stopped")
    assert (status["state"], status["severity"]) == ("stopped", "ok")
    (reason,) = status["reasons"]
    assert "worker-1 ended here" in reason and "with 0, stopped as asked" in reason
    assert set(story.states("leases stopped")) == {"ended", "stopped"}
    assert story.answers["status stopped"].returncode == 3
    assert story.answers["health --local"].returncode == 0, story.answers["health --local"].stdout
    assert story.answers["health stopped"].returncode == 1
    assert not _heartbeats(story)


@pytest.mark.parametrize(
    ("role", "unused"),
    [("source", set()), ("destination", set()), ("kcl", {"dynamodb:UpdateTable"})],
)
def test_policies_allow_what_a_run_calls_and_no_more(
    story: Story, role: str, unused: set[str]
) -> None:
    """The calls that were recorded are the actions of the daemon's policy."""
    task = story.fleet.task
    arns = iam.find_arns(task)
    allowed = {
        action
        for statement in iam.policy(task, role, arns, tools=False)["Statement"]
        for action in statement["Action"]
        if action.startswith("dynamodb:")
    }
    called = {f"dynamodb:{name.partition('.')[2]}" for name in story.actions[role]}
    # By doctor, which looks for a switchover's forgotten statement, and passes over a refusal.
    called -= {"dynamodb:GetResourcePolicy"}
    assert called == allowed - unused


def test_a_reset_deletes_the_rows_and_restore_brings_them_back(
    story: Story, tmp_path: Path
) -> None:
    """Reset to the trim horizon and restored, every checkpoint is what it was."""
    before = story.fleet.leases()
    saved = tmp_path / "saved.json"
    done = story.fleet.ask("leases", "reset", "--yes", "--save", str(saved))
    assert done.returncode == 0, done.stderr
    assert {view["state"] for view in story.fleet.leases()} == {"unleased"}
    undone = story.fleet.ask("leases", "restore", str(saved), "--yes")
    assert undone.returncode == 0, undone.stderr
    after = story.fleet.leases()
    assert [view["checkpoint"] for view in after] == [view["checkpoint"] for view in before]
