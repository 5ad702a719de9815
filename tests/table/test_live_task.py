"""Whole runs of a live copy: what it leaves, goes on from, and says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.aws.clients import ServiceTrouble
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, DestinationError, GapError
from kcl_processor.launch.copy_mark import CopyState, read_mark
from kcl_processor.launch.live_mark import read_live_mark
from kcl_processor.launch.proof import note_whole, replica_of
from kcl_processor.launch.proof_part import Open
from kcl_processor.launch.switch_mark import (
    SwitchMark,
    SwitchState,
    read_switch,
    replace_switch,
)
from kcl_processor.state.gaps import Gap, note_gap
from kcl_processor.table.copy_sides import CopyOptions
from kcl_processor.table.copy_task import Copied, run_copy
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.live_ahead import Ahead, AheadRows
from kcl_processor.table.live_task import WHOLE, announce, run_live
from kcl_processor.table.part_row import PartRow
from kcl_processor.table.sides import Pair
from kcl_processor.table.table_reader import Segment
from tests.edges import Reply, Request, passed_on, serving
from tests.fakes import HandClock
from tests.table.copied import Told, TurningHalt, never_ran
from tests.table.followed import follow
from tests.table.memory import key


class World:
    """A task whose daemon was started, and its tables."""

    def __init__(self, moto_url: str, folder: Path) -> None:
        self.task = never_ran(moto_url)
        self.folder = folder
        self.clock = HandClock()
        self.told = Told()

    def put(self, side: Any, **items: str) -> None:
        """Put items on one side: their names, and what they hold."""
        for name, value in items.items():
            item = {"pk": {"S": name}, "v": {"S": value}}
            clients.tables(side).put_item(TableName=side.table, Item=item)

    def held(self) -> dict[str, str]:
        """What the destination holds."""
        side = self.task.destination
        items = clients.tables(side).scan(TableName=side.table)["Items"]
        return {item["pk"]["S"]: item["v"]["S"] for item in items}

    def files(self, host: str = "here") -> TaskFiles:
        """The task's files on a host."""
        return TaskFiles(self.task, self.folder / host)

    def copy(self, host: str = "here", **options: Any) -> Copied:
        """What ``copy --live`` does."""
        given = CopyOptions(processes=1, segments=4, **options)
        return run_live(self.files(host), given, self.told, TurningHalt(self.clock), self.clock)

    def lose(self, part: Segment) -> None:
        """What a part's copy has noted of a gap that its daemon passed."""
        row = PartRow(self.task, part, self.clock, self.clock.turn)
        progress = row.load()
        assert progress
        progress.lost = "While task orders was copied its daemon passed 1 gap."
        row.take(progress)
        row.release(progress)

    def leave(self, token: str, *names: str) -> None:
        """What a run has named that was killed."""
        rows = AheadRows(self.task, WHOLE)
        rows.load(token, of_all=False)
        rows.hear(token, 0, Ahead([Pair(key(name), key(name)) for name in names]))
        rows.save()


@pytest.fixture
def world(moto_url: str, tmp_path: Path) -> World:
    """A task whose daemon was started."""
    world = World(moto_url, tmp_path)
    follow(world.task)
    return world


def state(task: Task) -> CopyState | None:
    """How far the copy is."""
    mark = read_live_mark(task)
    return mark.state if mark else None


def test_a_copy_lays_what_is_missing_and_leaves_what_is_there(world: World) -> None:
    """It is done then, wherever it is asked for again, and names nothing any more."""
    world.put(world.task.source, a="old", b="1", c="1")
    world.put(world.task.destination, a="newer")
    copied = world.copy()
    assert copied.whole and not copied.progress.to_empty
    assert world.held() == {"a": "newer", "b": "1", "c": "1"}
    counts = copied.progress.items, copied.progress.written, copied.progress.there
    assert counts == (3, 3, 1)
    assert state(world.task) is CopyState.DONE
    assert not AheadRows(world.task, WHOLE).load("", of_all=True)
    assert world.copy("there").whole
    assert world.told.lines == ["The copy was finished before; nothing is copied."]


def test_what_a_killed_run_has_named_is_looked_at_first(world: World) -> None:
    """Deleted at the source meanwhile, it is in no scan and in no stream any more."""
    world.put(world.task.source, a="1")
    world.put(world.task.destination, gone="1")
    world.leave("an earlier copy", "gone", "a")
    assert world.copy().progress.written == 1
    assert world.held() == {"a": "1"}


def test_what_was_named_of_tables_that_had_other_keys_ends_no_copy(world: World) -> None:
    """They were made anew since: the new ones refuse to be asked for it, at each start."""
    world.put(world.task.source, a="1")
    rows = AheadRows(world.task, WHOLE)
    for number, named in enumerate((b'{"id":{"S":"a"}}', b'{"pk":{"N":"1"}}')):
        rows.hear("an earlier copy", number, Ahead([Pair(named, named)]))
    rows.save()
    assert world.copy(restart=True).whole
    assert world.held() == {"a": "1"}
    assert not AheadRows(world.task, WHOLE).load("", of_all=True)


def test_a_copy_that_start_announces_is_joined_when_the_daemon_has_its_positions(
    moto_url: str, tmp_path: Path
) -> None:
    """It began before the daemon, over an empty destination; what came since is the daemon's."""
    world = World(moto_url, tmp_path)
    announce(world.files(), CopyOptions(), world.told.warn, world.clock)
    mark = read_live_mark(world.task)
    assert mark and mark.to_empty
    announce(world.files(), CopyOptions(), world.told.warn, world.clock)
    assert read_live_mark(world.task) == mark, "a second start joins, too"
    world.put(world.task.source, a="1", b="1")
    world.put(world.task.destination, a="1")
    with pytest.raises(ConfigError, match="No daemon"):
        world.copy()

    def starts(seconds: float) -> None:
        world.clock.turn(seconds)
        if world.clock.elapsed() > 100 and not world.held().get("started"):
            follow(world.task)
            world.put(world.task.destination, started="yes")

    halt = TurningHalt(world.clock)
    halt.wait = starts  # type: ignore[method-assign]
    options = CopyOptions(processes=1, patience=600.0)
    copied = run_live(world.files(), options, world.told, halt, world.clock)
    assert copied.whole and copied.progress.to_empty
    assert len(copied.progress.segments) == mark.segments
    assert world.held().keys() == {"a", "b", "started"}


def test_a_destination_that_holds_items_is_announced_only_by_word(
    moto_url: str, tmp_path: Path
) -> None:
    """Those that the daemon does not write would stay as they are."""
    world = World(moto_url, tmp_path)
    world.put(world.task.destination, a="1")
    with pytest.raises(DestinationError, match="holds items"):
        announce(world.files(), CopyOptions(), world.told.warn, world.clock)
    announce(world.files(), CopyOptions(to_empty_only=False), world.told.warn, world.clock)
    mark = read_live_mark(world.task)
    assert mark and not mark.to_empty


class LostAnswers:
    """A way to KCL's tables on which the answers to some calls are lost, all attempts at one of
    them among these.

    Args:
        operation, about: which ones: what their body holds.
        first: the number of the first that is lost.
    """

    def __init__(self, url: str, operation: str, about: str, first: int) -> None:
        self._url = url
        self._operation = operation
        self._about = about.encode()
        self._first = first
        self.calls = 0

    def __call__(self, request: Request) -> Reply:
        reply = passed_on(self._url, request)
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        if operation == self._operation and self._about in request.body:
            self.calls += 1
            if self._first <= self.calls < self._first + 6:
                return Reply.of({}, 500)
        return reply


@pytest.mark.parametrize(
    ("operation", "about", "first", "patience"),
    [
        ("PutItem", "KclProcessorCopyPart-0-of-1", 2, 0.0),
        ("Scan", "-CoordinatorState", 1, 0.0),
        # Beside the daemon of a start, which makes these tables at that time.
        ("GetItem", "KclProcessorLiveCopy", 1, 600.0),
        ("PutItem", "KclProcessorLiveCopy", 1, 600.0),
        ("PutItem", "KclProcessorCopyPart-0-of-1", 1, 600.0),
    ],
)
def test_tables_of_kcl_that_are_away_for_a_while_end_no_copy(
    world: World, operation: str, about: str, first: int, patience: float
) -> None:
    """Nobody would start it again beside its daemon; what it wrote itself is no other copy."""
    world.put(world.task.source, a="1", b="1")
    answers = LostAnswers(world.task.kcl.endpoint or "", operation, about, first)
    with serving(answers) as edge:
        world.task = replace(world.task, kcl=replace(world.task.kcl, endpoint=edge.url))
        assert world.copy(patience=patience).whole
    assert world.held() == {"a": "1", "b": "1"} and state(world.task) is CopyState.DONE
    assert answers.calls >= first + 6
    assert "It is waited for, and nothing is written meanwhile." in world.told.lines[0]


def test_a_copy_that_cannot_be_begun_now_says_so(world: World) -> None:
    """Whoever types it may have named another place."""
    answers = LostAnswers(world.task.kcl.endpoint or "", "GetItem", "KclProcessorLiveCopy", 1)
    with serving(answers) as edge:
        world.task = replace(world.task, kcl=replace(world.task.kcl, endpoint=edge.url))
        with pytest.raises(ServiceTrouble):
            world.copy()


def test_parts_are_one_copy(world: World) -> None:
    """The last one says that it is done."""
    world.put(world.task.source, **{f"item-{number}": "1" for number in range(40)})
    assert not world.copy(part=Segment(0, 2)).whole
    assert world.told.lines == ["1 of 2 parts are not copied yet."]
    assert world.copy("there", part=Segment(1, 2)).whole
    assert len(world.held()) == 40


def test_a_gap_of_the_daemon_is_told_at_the_end_each_time(world: World) -> None:
    """What was copied is copied; done in silence it is not."""
    world.put(world.task.source, a="1")
    files = world.files()
    note_gap(files.gaps, Gap(world.clock.now() + 100, "shard", "5", None, None, "left"))
    for _ in range(2):
        with pytest.raises(GapError, match="All else is copied"):
            world.copy()
    assert world.held() == {"a": "1"}


def test_what_a_copy_saw_lost_is_told_each_time_until_the_tables_are_proven_equal(
    world: World,
) -> None:
    """Only the host that passed the gap knows it by itself, and that may be another."""
    world.put(world.task.source, a="1")
    assert world.copy().whole
    world.lose(WHOLE)
    for _ in range(2):
        with pytest.raises(GapError, match="passed 1 gap"):
            world.copy("there")
    world.clock.turn(10)
    note_whole(world.task, replica_of(world.task), world.clock.now(), Open())
    assert world.copy("there").whole


def test_what_one_part_saw_lost_is_told_with_the_last_one_too(world: World) -> None:
    """The whole is done with that one, and what was lost was passed long before it began."""
    world.put(world.task.source, **{f"item-{number}": "1" for number in range(40)})
    first, last = Segment(0, 2), Segment(1, 2)
    assert not world.copy(part=first).whole
    world.lose(first)
    for _ in range(2):
        with pytest.raises(GapError, match="passed 1 gap"):
            world.copy("there", part=last)
    assert state(world.task) is CopyState.DONE
    world.clock.turn(10)
    note_whole(world.task, replica_of(world.task), world.clock.now(), Open())
    assert world.copy("there", part=last).whole


def test_a_gap_that_was_noted_where_one_part_was_copied_is_told_with_the_last_one(
    world: World,
) -> None:
    """That one is copied on another host, which knows nothing of it."""
    world.put(world.task.source, **{f"item-{number}": "1" for number in range(40)})
    gap = Gap(world.clock.now() + 100, "shard", "5", None, None, "left")
    note_gap(world.files().gaps, gap)
    assert not world.copy(part=Segment(0, 2)).whole
    with pytest.raises(GapError, match="passed 1 gap"):
        world.copy("there", part=Segment(1, 2))
    assert state(world.task) is CopyState.DONE


def test_a_gap_that_was_noted_as_a_copy_ended_is_told_on_every_host(world: World) -> None:
    """Whoever types it again elsewhere hears of it, too."""
    gap = Gap(world.clock.now() + 100, "shard", "5", None, None, "left")
    note_gap(world.files().gaps, gap)
    for host in ("here", "there"):
        with pytest.raises(GapError, match="passed 1 gap"):
            world.copy(host)
    assert state(world.task) is CopyState.DONE


def test_a_plain_copy_is_not_begun_over_an_unfinished_live_one(world: World) -> None:
    """But anew, and then nobody goes on with the live one."""
    world.put(world.task.source, **{f"item-{number}": "1" for number in range(40)})
    assert not world.copy(part=Segment(0, 2)).whole
    with pytest.raises(ConfigError, match="is not finished"):
        plain(world, CopyOptions(processes=1, to_empty_only=False))
    assert plain(world, CopyOptions(processes=1, to_empty_only=False, restart=True)).whole
    assert state(world.task) is None


class Moving(TurningHalt):
    """The writers move to the destination while something is awaited."""

    def __init__(self, world: World) -> None:
        super().__init__(world.clock)
        self._task = world.task

    def wait(self, seconds: float) -> None:
        if seconds and not read_switch(self._task):
            over = SwitchMark("t", SwitchState.OVER, "host-1", 5.0, certificate="{}")
            replace_switch(self._task, None, over)
        super().wait(seconds)


@pytest.mark.parametrize("run", [run_live, run_copy])
def test_a_copy_is_not_begun_when_the_writers_have_moved_as_it_was_started(
    world: World, run: Callable[..., Copied]
) -> None:
    """What they write is not laid over, and nothing is left of it."""
    world.put(world.task.source, a="1")
    options = CopyOptions(processes=1, to_empty_only=False)
    with pytest.raises(ConfigError, match="was switched over"):
        run(world.files(), options, world.told, Moving(world), world.clock)
    assert world.held() == {}
    assert read_live_mark(world.task) is None and read_mark(world.task) is None


def plain(world: World, options: CopyOptions) -> Copied:
    """What ``copy`` does."""
    halt = TurningHalt(world.clock)
    return run_copy(world.files(), options, CopyListener(), halt, world.clock)
