"""A look at a task: KCL's tables, the stream, and the heartbeats of this host."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.leases import Lease
from kcl_processor.fleet.stream import Look, Stream, StreamShard
from kcl_processor.operate.observe import Observer
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.replicate.refusals import DeadLetters, Origin
from kcl_processor.state.dead_letters import LetterFile
from kcl_processor.state.heartbeat import write_heartbeat
from tests.fakes import INVALID, HandClock, put
from tests.kcl_tables import fill, make_source_and_destination, make_task, shards_of, snapshot

ROWS, COORDINATOR, WORKERS = snapshot("two-workers")


class FakeStream(Stream):
    """A stream that goes with the rows, and holds nothing unread."""

    def __init__(self) -> None:
        pass

    def shards(self) -> list[StreamShard]:
        return shards_of(ROWS)

    def look_behind(self, leases: Iterable[Lease]) -> dict[str, Look]:
        return {lease.shard: Look() for lease in leases}


def test_a_look_waits_until_the_living_have_moved(moto_url: str, tmp_path: Path) -> None:
    """One worker renews while it is watched, the other does not: active and dying."""
    task, clock = make_task(moto_url), HandClock()
    client = fill(task, ROWS, COORDINATOR, WORKERS)
    alive = [row for row in ROWS if row["leaseOwner"]["S"] == "worker-1"]

    def wait(seconds: float) -> None:
        clock.turn(seconds)
        for row in alive:
            renewed = {**row, "leaseCounter": {"N": str(int(clock.seconds))}}
            client.put_item(TableName=task.kcl.application_name, Item=renewed)

    seen = Observer(TaskFiles(task, tmp_path), clock, wait, FakeStream()).look()
    states = {(view.owner, view.state) for view in seen.shards if view.state != "ended"}
    assert states == {("worker-1", "active"), ("worker-2", "dying")}
    assert seen.live == ["worker-1"]
    assert seen.leader is not None and seen.leader.owner == "worker-2"


@pytest.mark.parametrize(("patient", "state"), [(True, "active"), (False, "owned")])
def test_what_passes_while_nobody_reads_is_no_standing_still(
    moto_url: str, tmp_path: Path, state: str, *, patient: bool
) -> None:
    """A long list of shards takes longer than a lease is watched for."""
    task, clock = make_task(moto_url), HandClock()
    client = fill(task, ROWS, COORDINATOR, WORKERS)

    class LongStream(FakeStream):
        def look_behind(self, leases: Iterable[Lease]) -> dict[str, Look]:
            clock.turn(20)
            for row in ROWS:
                renewed = {**row, "leaseCounter": {"N": str(int(clock.seconds))}}
                client.put_item(TableName=task.kcl.application_name, Item=renewed)
            return super().look_behind(leases)

    observer = Observer(TaskFiles(task, tmp_path), clock, clock.turn, LongStream())
    seen = observer.look(patient=patient)
    assert {view.state for view in seen.shards if view.state != "ended"} == {state}


def test_a_task_that_was_stopped_is_known_at_once(moto_url: str, tmp_path: Path) -> None:
    """Its workers took their reports away: nobody has to be watched."""
    task, clock = make_task(moto_url), HandClock()
    fill(task, ROWS, COORDINATOR)
    observer = Observer(TaskFiles(task, tmp_path), clock, clock.turn, FakeStream())
    seen = observer.look(patient=False)
    assert {view.state for view in seen.shards if view.state != "ended"} == {"stopped"}
    assert seen.live == []


def test_an_owner_that_was_not_watched_is_not_called_active(moto_url: str, tmp_path: Path) -> None:
    """Of one that died a moment ago a single reading tells as much as of one that lives."""
    task, clock = make_task(moto_url), HandClock()
    fill(task, ROWS, COORDINATOR, WORKERS)
    observer = Observer(TaskFiles(task, tmp_path), clock, clock.turn, FakeStream())
    seen = observer.look(patient=False)
    assert {view.state for view in seen.shards if view.state != "ended"} == {"owned"}


def test_a_task_that_never_ran_has_only_unleased_shards(moto_url: str, tmp_path: Path) -> None:
    """The stream's shards are there, KCL's tables are not, and nothing is waited for."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    began = clock.elapsed()
    seen = Observer(TaskFiles(task, tmp_path), clock, clock.turn).look()
    assert not seen.found and {view.state for view in seen.shards} == {"unleased"}
    assert clock.elapsed() == began
    assert (seen.dead_letters, seen.gaps) == (None, None)


def test_a_task_that_was_only_copied_never_ran(moto_url: str, tmp_path: Path) -> None:
    """A copy makes KCL's tables, too, for the mark that it leaves there."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    make_kcl_tables(task)
    assert not Observer(TaskFiles(task, tmp_path), clock, clock.turn).look().found


def test_this_hosts_notes_are_seen(moto_url: str, tmp_path: Path) -> None:
    """Heartbeats, gaps and dead letters lie in the state directory."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    beat = ShardFigures(task.name, "shardId-1", "w", clock).heartbeat()
    write_heartbeat(TaskFiles(task, tmp_path).heartbeats, beat)
    TaskFiles(task, tmp_path).gaps.write_text(
        '{"at": "2026-01-01T00:00:00Z", "shard": "shardId-1"}\n'
    )
    seen = Observer(TaskFiles(task, tmp_path), clock, clock.turn).look()
    assert (seen.gaps, seen.dead_letters, list(seen.heartbeats)) == (1, 0, ["shardId-1"])


def test_letters_of_another_task_in_a_shared_file_are_not_counted(
    moto_url: str, tmp_path: Path
) -> None:
    """No replay of this task would ever settle them."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    files = TaskFiles(task, tmp_path)
    place = LetterFile(files.letter_file)
    for name in (task.name, "another"):
        origin = Origin(name, "source", "replica", "shardId-1")
        DeadLetters(place, origin, clock, lambda: None, clock.turn).refuse(put("a"), INVALID)
    assert Observer(files, clock, clock.turn).look().dead_letters == 1
