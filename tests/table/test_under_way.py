"""What is being done to a task's whole tables, as who only looks sees it."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.launch.copy_mark import DEAD, CopyMark, CopyState, replace_mark
from kcl_processor.launch.live_mark import LiveMark, replace_live_mark
from kcl_processor.launch.proof import adopt_proof, replica_of
from kcl_processor.launch.proof_part import Open, PartProof
from kcl_processor.table import copy_progress
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.managed_row import Steps, StepsRow
from kcl_processor.table.part_row import PartRow
from kcl_processor.table.proof_task import ProofRow
from kcl_processor.table.table_reader import Segment
from kcl_processor.table.under_way import Comparing, Copying, comparing, copying
from tests.fakes import HandClock
from tests.table.copied import never_ran

TOKEN = "t"


class World:
    """A task that is being copied."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock, self.task = HandClock(), never_ran(url)
        self.files = TaskFiles(self.task, folder)

    def seen(self) -> Copying | None:
        return copying(self.files, self.clock.now())

    def mark(self, **options: object) -> CopyMark:
        now = self.clock.now()
        mark = CopyMark.begun(TOKEN, now, now, forced=False, **options)  # type: ignore[arg-type]
        assert replace_mark(self.task, None, mark)
        return mark

    def progress(self, part: int = 0, parts: int = 1) -> CopyProgress:
        began = self.clock.now()
        made = CopyProgress("s", "d", "arn", 100, 1, began, [], part, parts, token=TOKEN)
        return replace(made, items=40, items_per_second=3.0)

    def hold(self, part: int, parts: int) -> PartRow:
        """A part that a process is at."""
        row = PartRow(self.task, Segment(part, parts), self.clock, self.clock.turn)
        row.take(self.progress(part, parts))
        return row


@pytest.fixture(name="world")
def _world(moto_url: str, tmp_path: Path) -> World:
    return World(moto_url, tmp_path)


def test_nothing_is_under_way(world: World) -> None:
    """Before a copy, and when it is done."""
    assert world.seen() is None and comparing(world.task, world.clock.now()) is None
    mark = world.mark()
    assert replace_mark(world.task, mark, mark.now(CopyState.DONE, world.clock.now()))
    assert world.seen() is None


def test_a_copy_on_this_host_tells_how_far_it_is(world: World) -> None:
    """And one that is silent is not at work, whose end is not known."""
    mark = world.mark()
    copy_progress.save(world.files.copy_progress, world.progress())
    seen = world.seen()
    assert seen == Copying(
        *("copy", platform.node(), mark.started_at, True, False, 1, 0, 40, 100, 3.0, 20.0)
    )
    world.clock.turn(DEAD + 1)
    assert world.seen() == replace(seen, at_work=False, items_per_second=None, seconds_left=None)


def test_a_copy_on_another_host_has_no_figures(world: World) -> None:
    """Those that lie here are of an earlier one."""
    world.mark()
    copy_progress.save(world.files.copy_progress, replace(world.progress(), token="earlier"))
    seen = world.seen()
    assert seen and (seen.items, seen.expected_items, seen.at_work) == (None, None, True)


def test_parts_are_told_together(world: World) -> None:
    """One that has not begun counts as large as the others."""
    world.mark(parts=4, segments=8)
    assert (seen := world.seen()) and seen.items is None
    world.hold(0, 4)
    row = world.hold(2, 4)
    row.write(replace(world.progress(2, 4), items=100, finished_at=world.clock.now()))
    seen = world.seen()
    assert seen and (seen.parts, seen.parts_done, seen.at_work) == (4, 1, True)
    assert (seen.items, seen.expected_items, seen.items_per_second) == (140, 400, 3.0)


def test_a_live_copy_is_told(world: World) -> None:
    """It has a mark of its own."""
    mark = LiveMark.begun(TOKEN, world.clock.now(), 1, 4, "", to_empty=True)
    assert replace_live_mark(world.task, None, mark)
    world.hold(0, 1)
    seen = world.seen()
    assert seen and (seen.kind, seen.items, seen.at_work) == ("live copy", 40, True)


def test_a_copy_that_was_disturbed_says_so(world: World) -> None:
    """Nobody can go on with it."""
    mark = world.mark()
    assert replace_mark(world.task, mark, mark.now(CopyState.DISTURBED, world.clock.now()))
    assert (seen := world.seen()) and seen.disturbed


def test_what_aws_is_asked_for_is_told(world: World) -> None:
    """It exports before there is a mark, and nothing else is known of it."""
    row = StepsRow(world.task)
    assert row.load() is None
    row.save(Steps.new("bucket", ""))
    assert world.seen() == Copying("export and import")


def test_a_round_that_is_under_way_is_told(world: World) -> None:
    """How much of it is compared, and by how many; not once it is at its end."""
    task, began = world.task, world.clock.now()
    mark = adopt_proof(task, replica_of(task), lambda: (2, 4), began)

    def hold(number: int) -> tuple[ProofRow, PartProof]:
        row = ProofRow(task, Segment(number, 2), world.clock, world.clock.turn)
        part = row.load() or PartProof(mark.token, number, 2, 4)
        part.begin(began, mark.round)
        row.take(part)
        return row, part

    def end(row: ProofRow, part: PartProof) -> None:
        part.finish(world.clock.now())
        row.write(part)
        row.release(part)

    seen = Comparing(mark.round, began, parts=2, parts_at_work=0, segments=4, segments_done=0)
    assert comparing(task, world.clock.now()) == seen
    end(*hold(0))
    row, part = hold(1)
    part.enter(part.left[0], {}, Open())
    row.write(part)
    seen = replace(seen, parts_at_work=1, segments_done=3)
    assert comparing(task, world.clock.now()) == seen
    world.clock.turn(DEAD + 1)
    assert comparing(task, world.clock.now()) == replace(seen, parts_at_work=0)
    end(row, part)
    assert comparing(task, world.clock.now()) is None
