"""A task that the exporter watches for its page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import PermissionDenied
from kcl_processor.fleet.events import note
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import Lease
from kcl_processor.fleet.stream import Look, Stream, StreamShard
from kcl_processor.operate.asked import INTERVAL
from kcl_processor.operate.lag_history import LagHistory
from kcl_processor.operate.observe import Observer
from kcl_processor.operate.page_watch import LATE, Ask, Watch, in_sight
from kcl_processor.state.gaps import Gap, note_gap
from tests.fakes import Beside, HandClock
from tests.kcl_tables import fill, make_source_and_destination, make_task, shards_of, snapshot

ROWS = snapshot("two-workers")


class StillStream(Stream):
    """A stream that goes with the snapshot, and holds nothing unread."""

    def __init__(self) -> None:
        pass

    def shards(self, _after: str | None = None) -> list[StreamShard]:
        return shards_of(ROWS[0])

    def look_behind(self, leases: Iterable[Lease]) -> dict[str, Look]:
        return {lease.shard: Look() for lease in leases}


class World:
    """A task that is watched; its looks are made when a test says so."""

    def __init__(self, task: Task, folder: Path, **work: Ask) -> None:
        self.clock, self.pool, self.told = HandClock(), Beside(), list[str]()
        self.files = TaskFiles(task, folder)
        turn = self.clock.turn
        self.watch = Watch(self.files, self.clock, self.pool, turn, work, self.told.append)
        self.watch._observer = Observer(self.files, self.clock, turn, StillStream())

    def look(self) -> None:
        """A minute later."""
        self.clock.turn(INTERVAL)
        self.watch.tick()
        self.pool.do()
        self.watch.tick()


def test_a_look_sees_the_task_its_events_and_its_gaps(moto_url: str, tmp_path: Path) -> None:
    """And what is done to its tables; each look adds a reading of the lag."""
    task = make_task(moto_url)
    fill(task, *ROWS)
    world = World(task, tmp_path, copy=lambda _files, now: now, verify=lambda _files, _now: None)
    note(task, world.clock.now(), "paused", None, "by a test")
    note_gap(world.files.gaps, Gap(world.clock.now(), "shardId-1", "17", None, None, "trimmed"))
    assert world.watch.status().reasons == ("it was not looked at yet",)
    world.look()
    seen = world.watch.seen()
    assert seen and seen.sight and seen.status.state == "running" and not seen.unknown
    assert [event.what for event in seen.events or []] == ["paused"]
    assert [gap.shard for gap in seen.gaps or []] == ["shardId-1"]
    assert seen.work == {"copy": seen.at, "verify": None}
    world.look()
    assert len(LagHistory(world.files.lag_history).since(0)) == 2
    assert not world.told


def test_a_look_reads_each_of_kcls_tables_once(moto_url: str, tmp_path: Path) -> None:
    """Its events, too, are among the rows of that reading."""
    task, scans = make_task(moto_url), list[str]()
    fill(task, *ROWS)
    world, calls = World(task, tmp_path), clients.checkpoints(task).meta.events
    world.watch.look()

    def scanned(params: dict[str, str], **_: object) -> None:
        scans.append(params["TableName"])

    calls.register("provide-client-params.dynamodb.Scan", scanned)
    assert world.watch.look().events == []
    calls.unregister("provide-client-params.dynamodb.Scan", scanned)
    assert sorted(scans) == sorted(astuple(table_names(task)))


def test_a_look_waits_for_no_counter(moto_url: str, tmp_path: Path) -> None:
    """It comes again in a minute, and by then they have moved or not."""
    task = make_task(moto_url)
    fill(task, *ROWS)
    world = World(task, tmp_path)
    world.watch.look()
    before = world.clock.elapsed()
    assert world.watch.look().sight
    assert world.clock.elapsed() == before


def test_one_that_cannot_be_looked_at_is_unknown_with_the_reason(tmp_path: Path) -> None:
    """And no figure of it is 0: neither now nor in the readings. What lies here is told."""
    world = World(make_task(), tmp_path)
    seen = world.watch.look()
    assert (seen.status.state, seen.status.severity) == ("unknown", "warn")
    (reason,) = seen.status.reasons
    assert "Could not connect to the endpoint" in reason and "Try: " in reason
    assert (seen.status.lag, seen.status.gaps, seen.sight) == (None, None, None)
    assert seen.gaps == []
    (reading,) = LagHistory(world.files.lag_history).since(0)
    assert (reading.lag, reading.trims_in) == (None, None)


def test_a_fault_of_ours_keeps_nothing_else_from_being_told(
    moto_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said on the page, and all of it on stderr."""

    def fails(_files: TaskFiles, _now: float) -> None:
        raise ZeroDivisionError

    task = make_task(moto_url)
    world = World(task, tmp_path, copy=fails)
    seen = world.watch.look()
    assert seen.sight and "copy" not in seen.work
    assert seen.unknown["copy"].startswith("an error of ours, ZeroDivisionError")
    assert "Traceback" in caplog.text


def test_what_was_seen_long_ago_is_not_told_as_the_present(moto_url: str, tmp_path: Path) -> None:
    """A look that hangs leaves the figures unknown, and says since when."""
    task = make_task(moto_url)
    world = World(task, tmp_path)
    world.look()
    world.clock.turn(INTERVAL)
    world.watch.tick()
    world.clock.turn(LATE - INTERVAL)
    assert world.watch.status().state == "new"
    world.clock.turn(1)
    status = world.watch.status()
    assert world.watch.seen() is None and (status.state, status.lag) == ("unknown", None)
    assert status.reasons == (f"the last look at it ended {LATE + 1:.0f} s ago",)


class DeniedStream(StillStream):
    """A stream that this host may not read."""

    def shards(self, _after: str | None = None) -> list[StreamShard]:
        raise PermissionDenied("denied", "allow it")


def test_what_a_look_saw_is_not_read_again(moto_url: str, tmp_path: Path) -> None:
    """Before the first look, after one that is too old, and where the stream may not be read, it
    is; events are told there all the same."""
    task = make_task(moto_url)
    fill(task, *ROWS)
    world = World(task, tmp_path)
    note(task, world.clock.now(), "paused", None, "by a test")
    found = in_sight([world.watch], lambda sight: f"{len(sight.live)} seen", lambda _: "read")
    assert found(task) == "read"
    world.look()
    assert found(task) == "2 seen"
    world.clock.turn(LATE + 1)
    assert found(task) == "read"
    turn = world.clock.turn
    world.watch._observer = Observer(world.files, world.clock, turn, DeniedStream())
    world.look()
    seen = world.watch.seen()
    assert seen and [event.what for event in seen.events or []] == ["paused"]
    assert found(task) == "read"


def test_a_directory_that_is_not_its_own_costs_the_readings_alone(
    moto_url: str, tmp_path: Path
) -> None:
    """That is said once."""
    task = make_task(moto_url)
    (tmp_path / "file").write_text("")
    world = World(task, tmp_path / "file")
    world.look()
    world.look()
    (line,) = world.told
    assert str(world.files.lag_history) in line
    assert len(world.watch.lags.since(0)) == 2


def test_what_lies_in_another_replicas_tables_is_not_told(moto_url: str, tmp_path: Path) -> None:
    """Neither its shards nor its events: the reason is."""
    task = make_task(moto_url)
    make_source_and_destination(task)
    fill(task, *ROWS)
    world = World(task, tmp_path, copy=lambda _files, now: now)
    note(task, world.clock.now(), "paused", None, "by a test")
    seen = world.watch.look()
    assert (seen.sight, seen.events, dict(seen.work)) == (None, None, {})
    assert "--adopt" in seen.status.reasons[0]
