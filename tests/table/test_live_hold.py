"""Whose a live copy and each of its parts is: begun by one, joined by others, on any host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.launch.copy_mark import CopyState
from kcl_processor.launch.live_mark import read_live_mark
from kcl_processor.launch.switch_mark import SwitchMark, SwitchState, replace_switch
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.held_row import Overtaken, PartTaken
from kcl_processor.table.live_hold import LiveHold
from kcl_processor.table.part_row import PartRow
from kcl_processor.table.table_reader import Segment
from tests.table.copied import CopyWorld, never_ran

PARTS = 2


class Part:
    """One process, on a host of its own."""

    def __init__(self, world: CopyWorld, number: int, parts: int = PARTS) -> None:
        self.world = world
        place = Segment(number, parts)
        clock = world.clock
        self.row = PartRow(world.task, place, clock, clock.turn)
        self.hold = LiveHold(world.task, place, self.row, world.ours, clock, clock.turn)
        self.progress = world.progress(4, *place)

    def read(self, *, restart: bool = False) -> Part:
        """Look at what is there."""
        found = self.row.load()
        self.hold.refuse_others(found, restart=restart)
        if found and self.hold.is_of_last(found):
            self.progress = found
        elif self.hold.joined:
            self.progress.token = self.hold.joined.token
        return self

    def begin(self, *, restart: bool = False) -> Part:
        """Begin the copy, or join it, or go on with it."""
        self.read(restart=restart).hold.begin(self.progress)
        return self

    def finish(self) -> int:
        """Copy all of it; how many parts are left."""
        self.progress.finished_at = self.world.clock.now()
        self.row.save(self.progress)
        return self.hold.finish(self.progress)


@pytest.fixture
def world(moto_url: str) -> CopyWorld:
    """A task and its tables."""
    return CopyWorld(never_ran(moto_url))


def state(world: CopyWorld) -> CopyState | None:
    """How far the copy is."""
    mark = read_live_mark(world.task)
    return mark.state if mark else None


def test_a_copy_is_done_when_its_last_part_is(world: CopyWorld) -> None:
    """And is known as done afterwards, by all of them."""
    first, second = Part(world, 0).begin(), Part(world, 1).begin()
    assert first.progress.token == second.progress.token
    assert (second.finish(), state(world)) == (1, CopyState.BEGUN)
    assert (first.finish(), state(world)) == (0, CopyState.DONE)
    again = Part(world, 1).read()
    assert again.hold.is_done(again.progress)


def test_the_fence_holds_for_who_looks_and_falls_for_who_was_paused(world: CopyWorld) -> None:
    """Another waits until nothing is on the paused one's way, and then has its place."""
    paused = Part(world, 0).begin()
    paused.hold.look(paused.progress)
    assert paused.hold.fence.remaining() > 0
    began = world.clock.elapsed()
    there = Part(world, 0).begin()
    assert paused.hold.fence.remaining() <= 0 < world.clock.elapsed() - began
    there.hold.look(there.progress)
    with pytest.raises(PartTaken):
        paused.hold.look(paused.progress)
    assert paused.hold.fence.remaining() <= 0


def test_a_copy_writes_nothing_when_the_writers_have_moved(world: CopyWorld) -> None:
    """What they write is laid over no more; by one that was begun as they moved, too."""
    part = Part(world, 0).begin()
    part.hold.look(part.progress)
    replace_switch(world.task, None, SwitchMark("t", SwitchState.OVER, "host-1", 5.0))
    world.clock.turn(30)
    with pytest.raises(ConfigError, match="was switched over"):
        part.hold.look(part.progress)
    assert part.hold.fence.remaining() <= 0


def test_a_copy_begun_anew_waits_for_the_one_it_takes_the_place_of(world: CopyWorld) -> None:
    """Which ends at its next look; of one that is done nothing is left."""
    first = Part(world, 0, 1).begin()
    assert first.hold.seconds_to_alone() == 0
    first.row.release(first.progress)
    anew = Part(world, 0, 1).begin(restart=True)
    assert anew.hold.seconds_to_alone() > 20
    anew.row.release(anew.progress)
    assert Part(world, 0, 1).begin().hold.seconds_to_alone() > 20, "so does who goes on with it"
    world.clock.turn(3600)
    anew = Part(world, 0, 1).begin()
    assert anew.hold.seconds_to_alone() == 0
    with pytest.raises(ConfigError, match="another was begun"):
        first.hold.look(first.progress)
    assert anew.finish() == 0
    anew.row.release(anew.progress)
    assert Part(world, 0, 1).begin(restart=True).hold.seconds_to_alone() == 0


def test_who_begins_anew_beside_one_at_work_is_told_to_stop_that_first(world: CopyWorld) -> None:
    """Nobody has begun another, and what was typed would never join it; the one at work goes on."""
    at_work = Part(world, 0, 1).begin()
    anew = Part(world, 0, 1).read(restart=True)
    world.clock.turn(5)
    at_work.hold.look(at_work.progress)
    with pytest.raises(ConfigError, match="is at work on") as raised:
        anew.hold.begin(anew.progress)
    assert "stop it first" in raised.value.hint
    at_work.hold.look(at_work.progress)
    assert at_work.finish() == 0


def test_parts_that_begin_at_once_are_one_copy(world: CopyWorld) -> None:
    """The slower one reads again, and joins."""
    first, second = Part(world, 0).read(), Part(world, 1).read()
    first.hold.begin(first.progress)
    with pytest.raises(Overtaken):
        second.hold.begin(second.progress)
    joined = Part(world, 1).begin()
    assert joined.progress.token == first.progress.token


def test_an_unfinished_copy_in_other_parts_is_named(world: CopyWorld) -> None:
    """It is gone on with as it was begun, or begun anew."""
    Part(world, 0).begin()
    with pytest.raises(ConfigError, match="in 2 parts") as raised:
        Part(world, 0, 3).begin()
    assert "--part 0/2" in raised.value.hint and "--restart" in raised.value.hint


@pytest.mark.parametrize("what", ["destination", "rules"])
def test_a_copy_of_other_tables_or_by_other_rules_is_not_gone_on_with(
    world: CopyWorld, what: str
) -> None:
    """What it has laid is not there, or would be laid otherwise."""
    Part(world, 0).begin()
    later = replace(world.ours.destination, created=world.ours.destination.created + 60)
    changed = {"destination": later} if what == "destination" else {"rules": "others"}
    world.ours = replace(world.ours, **changed)
    with pytest.raises(ConfigError, match=r"(begun|began) with"):
        Part(world, 1).begin()


def test_progress_of_a_plain_copy_is_not_taken_for_a_live_ones(world: CopyWorld) -> None:
    """Parts of both have the same rows."""
    plain = Part(world, 0)
    plain.progress.token = "plain"
    plain.row.load()
    plain.row.take(plain.progress)
    plain.row.release(plain.progress)
    live = Part(world, 0).begin()
    assert isinstance(live.progress, CopyProgress) and live.progress.token != "plain"
