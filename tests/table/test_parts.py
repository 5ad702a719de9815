"""A copy in parts: each on any host, held by one process, and all of them one copy."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.running import StillRunning, signs_of_life
from kcl_processor.launch.copy_mark import CopyState, read_mark, replace_mark, settle_mark
from kcl_processor.launch.identity import write_claim
from kcl_processor.launch.switch_mark import SwitchMark, SwitchState, replace_switch
from kcl_processor.replicate.write import Tally
from kcl_processor.table import copy_checks
from kcl_processor.table.copy_book import CopyBook
from kcl_processor.table.copy_checks import refuse_items
from kcl_processor.table.copy_hold import CopyHold
from kcl_processor.table.copy_laying import LaidTally
from kcl_processor.table.copy_progress import CopyProgress, SegmentProgress
from kcl_processor.table.copy_sides import CopyOptions
from kcl_processor.table.copy_task import Copied, run_copy
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.held_row import Overtaken, PartTaken
from kcl_processor.table.pace import Halt
from kcl_processor.table.part_hold import PartHold
from kcl_processor.table.part_row import PartRow, part_at_work, read_part
from kcl_processor.table.patience import CallTally
from kcl_processor.table.table_copy import CopyReport, PageCopied
from kcl_processor.table.table_reader import Segment
from tests.edges import Reply, Request, passed_on, serving
from tests.fakes import turning
from tests.table.copied import CopyWorld, Told, never_ran

PARTS, SEGMENTS = 3, 7


class Part:
    """One process that copies a part, on a host of its own."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self.place = Segment(number, PARTS)
        self.row = PartRow(world.task, self.place, world.clock, lambda s: world.wait(s))
        files = TaskFiles(world.task, world.folder / str(number))
        self.hold = PartHold(
            files, self.place, self.row, world.ours, world.clock, lambda s: world.wait(s)
        )
        self.progress = world.new(self.place)

    def begin(self, *, restart: bool = False) -> Part:
        """Begin the copy, or join it, or go on with it."""
        found = None if restart else self.row.load()
        self.hold.refuse_others(found, restart=restart)
        if found and self.hold.is_of_last(found):
            self.progress = found
        elif self.hold.joined:
            self.progress.token = self.hold.joined.token
        self.hold.begin(self.progress, signs_of_life(self._world.task))
        return self

    def finish(self) -> bool:
        """Copy all of it."""
        self.progress.finished_at = self._world.clock.now()
        self.row.save(self.progress)
        whole = self.hold.finish(self.progress, CopyListener())
        self.row.release(self.progress)
        return whole


class Once:
    """Something that happens the first time only."""

    def __init__(self, what: Callable[[], object]) -> None:
        self._what = what
        self.results: list[object] = []

    def __call__(self) -> None:
        if not self.results:
            self.results.append(self._what())


class TurningHalt(Halt):
    """A halt whose waiting turns the world's clock; a copy that never ends is halted."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self._waits = 200

    def wait(self, seconds: float) -> None:
        self._waits -= 1
        if not self._waits:
            self.set()
        super().wait(0)
        self._world.wait(seconds)


class World(CopyWorld):
    """A task whose copy is made in parts."""

    def __init__(self, task: Task, folder: Path) -> None:
        super().__init__(task)
        self.folder = folder
        self.wait: Callable[[float], None] = self.clock.turn

    def new(self, place: Segment) -> CopyProgress:
        """The progress of a part that has not begun."""
        return self.progress(SEGMENTS, *place)

    def parts(self) -> list[Part]:
        """All of them, none begun."""
        return [Part(self, number) for number in range(PARTS)]

    def run_copy(self, number: int, *, restart: bool = False, to_empty_only: bool = True) -> Copied:
        """What ``copy --part`` does."""
        files = TaskFiles(self.task, self.folder / f"run-{number}")
        part = Segment(number, PARTS)
        options = CopyOptions(part=part, processes=1, restart=restart, to_empty_only=to_empty_only)
        return run_copy(files, options, CopyListener(), TurningHalt(self), self.clock)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Fail what hangs, wherever it does."""

    def fail(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def world(moto_url: str, tmp_path: Path) -> World:
    """A task whose tables are all there, and that never ran."""
    return World(never_ran(moto_url), tmp_path)


def test_each_segment_is_of_one_part() -> None:
    """However the numbers fall."""
    segments = [SegmentProgress() for _ in range(SEGMENTS)]
    parts = [
        CopyProgress("", "", "", 0, 0, 0.0, segments, part=part, parts=PARTS).own_segments
        for part in range(PARTS)
    ]
    assert sorted(number for part in parts for number in part) == list(range(SEGMENTS))


def test_a_copy_is_done_when_its_last_part_is(world: World) -> None:
    """Whichever that is; until then no daemon starts."""
    first, second, third = [part.begin() for part in world.parts()]
    mark = read_mark(world.task)
    assert mark and (mark.parts, mark.segments) == (PARTS, SEGMENTS)
    assert {part.progress.token for part in (first, second, third)} == {mark.token}
    assert not second.finish() and not first.finish()
    with pytest.raises(ConfigError, match="not finished") as refused:
        settle_mark(world.task, world.clock.now(), started=False, adopt=False)
    assert "--part 0/3 and so on, each on any host, go on with it" in refused.value.hint
    assert third.finish()
    assert world.state() is CopyState.DONE
    again = Part(world, 1)
    found = again.row.load()
    assert found is not None
    again.hold.refuse_others(found, restart=False)
    assert again.hold.is_done(found)


def test_a_part_of_other_rules_joins_no_copy(world: World) -> None:
    """Its items would lie beside those of the others, laid otherwise; begun anew, all follow it."""
    world.ours = replace(world.ours, rules="ours")
    first = Part(world, 0).begin()
    assert read_part(world.task, first.place) is not None
    world.ours = replace(world.ours, rules="others")
    with pytest.raises(ConfigError, match="rules of task"):
        Part(world, 1).begin()
    Part(world, 1).begin(restart=True)
    with pytest.raises(ConfigError, match="Another copy"):
        first.hold.look(first.progress)


@pytest.mark.parametrize("what", ["source", "destination", "stream"])
def test_a_part_joins_no_copy_of_tables_that_were_made_anew(world: World, what: str) -> None:
    """What the others have copied is not there, or what changed since is in no stream."""
    first = Part(world, 0).begin()
    assert not first.finish()
    ours = world.ours
    if what == "stream":
        world.ours = replace(ours, stream=f"{ours.stream}-later")
    elif what == "source":
        world.ours = replace(ours, source=replace(ours.source, created=ours.source.created + 60))
    else:
        later = replace(ours.destination, created=ours.destination.created + 60)
        world.ours = replace(ours, destination=later)
    with pytest.raises(ConfigError, match="is not the one that this copy began with"):
        Part(world, 1).begin()


def test_parts_that_end_at_once_set_earlier_leases_aside_once(world: World) -> None:
    """What one of them takes away is no daemon to the other."""
    world.put_lease()
    assert write_claim(world.task, None, world.ours)
    parts = [part.begin() for part in world.parts()]
    assert not parts[0].finish()
    for part in parts[1:]:
        part.progress.finished_at = world.clock.now()
        part.row.save(part.progress)
    assert parts[1].hold.finish(parts[1].progress, CopyListener())
    assert parts[2].hold.finish(parts[2].progress, CopyListener())
    assert world.state() is CopyState.DONE


def test_a_part_that_ended_goes_on_on_another_host(world: World) -> None:
    """At once after a stop, and with all that was written."""
    part = Part(world, 1).begin()
    part.progress.segments[4] = SegmentProgress({"pk": {"S": "k"}}, 12)
    part.row.release(part.progress)
    began = world.clock.elapsed()
    there = Part(world, 1).begin()
    assert world.clock.elapsed() == began
    assert there.progress.segments[4] == part.progress.segments[4]
    assert there.progress.token == part.progress.token


def test_a_part_that_ends_between_a_report_and_its_writing_down_goes_on(world: World) -> None:
    """As one worker reports and another fails: both halves of the account are let go of."""
    part = Part(world, 0).begin()
    book = CopyBook(part.progress, part.row.save, world.clock)
    book.save()
    page = PageCopied(0, 10, {"pk": {"S": "k"}})
    book.hear(0, CopyReport([page], 100, CallTally(), Tally(written=9, refused=1), LaidTally()))
    part.row.release(part.progress)
    there = Part(world, 0).begin()
    assert (there.progress.items, there.progress.written, there.progress.refused) == (10, 9, 1)
    CopyBook(there.progress, there.row.save, world.clock).close()
    found = read_part(world.task, part.place)
    assert found and found.finished_at is not None


def test_a_part_that_was_killed_goes_on_when_nothing_of_it_can_be_on_its_way(
    world: World,
) -> None:
    """Its row stands still for longer than its last writing allowed it to write."""
    killed = Part(world, 0).begin()
    killed.hold.look(killed.progress)
    there = Part(world, 0).begin()
    there.hold.look(there.progress)
    assert killed.hold.fence.remaining() <= 0 < there.hold.fence.remaining()
    with pytest.raises(PartTaken, match="Part 0/3 of the copy"):
        killed.hold.look(killed.progress)


def test_a_part_that_is_being_copied_is_left_alone(world: World) -> None:
    """Its row moves while it is watched."""
    part = Part(world, 2).begin()
    assert part_at_work(world.task, part.place, world.clock.now()) == (part.progress, True)
    world.wait = turning(world.clock, lambda: part.hold.look(part.progress))
    with pytest.raises(PartTaken):
        Part(world, 2).begin()
    with pytest.raises(PartTaken):
        world.run_copy(2)
    part.hold.look(part.progress)
    assert world.state() is CopyState.BEGUN


def test_a_sign_of_life_is_no_other_copy(world: World) -> None:
    """Every part gives one every five seconds."""
    first, second, _ = world.parts()
    first.begin()
    second.hold.refuse_others(second.row.load(), restart=False)
    world.clock.turn(5)
    first.hold.look(first.progress)
    assert not second.hold.was_overtaken()


def test_a_part_joins_a_copy_that_filled_the_destination_while_it_looked(world: World) -> None:
    """It is not refused for the items that are there."""
    first, second, _ = world.parts()
    replica = world.task.destination

    def look(task: Task) -> None:
        begins()
        refuse_items(task)

    def begin() -> None:
        first.begin()
        clients.tables(replica).put_item(TableName=replica.table, Item={"pk": {"S": "k"}})

    begins = Once(begin)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copy_checks, "refuse_items", look)
        copied = world.run_copy(1)
    assert not copied.whole and copied.progress.token == first.progress.token
    assert copied.progress.part == second.place.number


def test_a_part_that_is_finished_while_another_waits_for_it_stays_finished(world: World) -> None:
    """The copy is done and a daemon may start: nobody goes on from what he read before that."""
    first, second, owner = [part.begin() for part in world.parts()]
    assert not first.finish() and not second.finish()
    ends = Once(owner.finish)
    world.wait = turning(world.clock, ends)
    with pytest.raises(Overtaken):
        Part(world, 2).begin()
    assert ends.results == [True]
    found = read_part(world.task, owner.place)
    assert found and found.finished_at is not None
    assert world.state() is CopyState.DONE
    copied = world.run_copy(2)
    assert copied.whole and copied.progress == found


def test_who_waits_for_a_part_reads_again_what_its_owner_left(world: World) -> None:
    """He goes on behind it, or ends as it is finished."""
    parts = [part.begin() for part in world.parts()]
    assert not parts[0].finish() and not parts[1].finish()
    parts[2].progress.items = parts[2].progress.written = 10
    ends = Once(parts[2].finish)
    world.wait = turning(world.clock, ends)
    copied = world.run_copy(2)
    assert copied.whole and copied.progress.items == 10
    assert ends.results == [True]
    assert world.state() is CopyState.DONE


def test_a_copy_that_is_begun_anew_takes_a_part_that_the_earlier_one_lets_go(
    world: World,
) -> None:
    """Nothing of it is gone on from. But a part of the new one that was faster is not undone."""
    old = Part(world, 1).begin()
    world.wait = turning(world.clock, lambda: old.row.release(old.progress))
    anew = Part(world, 1).begin(restart=True)
    assert read_part(world.task, old.place) == anew.progress
    late = PartRow(world.task, old.place, world.clock, world.clock.turn)
    anew.finish()
    with pytest.raises(Overtaken):
        late.take(anew.progress)


def test_a_part_at_work_in_a_copy_that_is_said_to_be_done_ends(world: World) -> None:
    """A daemon may start over it, and would find nothing to refuse if the mark were set back."""
    part = Part(world, 0).begin()
    mark = read_mark(world.task)
    assert mark
    replace_mark(world.task, mark, mark.now(CopyState.DONE, world.clock.now()))
    with pytest.raises(ConfigError, match="said to be done while part 0 was at work"):
        part.hold.look(part.progress)
    assert world.state() is CopyState.DISTURBED


def test_a_part_that_was_paused_does_not_undo_what_was_done_meanwhile(world: World) -> None:
    """Another process took it, and finished the copy."""
    paused = Part(world, 0).begin()
    others = [Part(world, number).begin() for number in range(PARTS)]
    assert [part.finish() for part in others] == [False, False, True]
    with pytest.raises(PartTaken):
        paused.hold.look(paused.progress)
    assert world.state() is CopyState.DONE


def test_a_part_that_was_paused_until_a_daemon_has_followed_disturbs_nothing(world: World) -> None:
    """Another process took it, and finished the copy; the daemon is where it belongs."""
    paused = Part(world, 0).begin()
    others = [Part(world, number).begin() for number in range(PARTS)]
    assert [part.finish() for part in others] == [False, False, True]
    world.put_lease()
    with pytest.raises(PartTaken):
        paused.hold.look(paused.progress)
    assert world.state() is CopyState.DONE


def test_a_part_that_ends_late_beside_the_daemon_that_followed_has_ended(
    world: World, moto_url: str, tmp_path: Path
) -> None:
    """Another part said that the copy is done, as it was about to."""
    scans: list[object] = []
    other: list[Part] = []

    def serve(request: Request) -> Reply:
        table = json.loads(request.body).get("TableName")
        is_scan = request.headers["X-Amz-Target"].endswith("Scan")
        if other and is_scan and table == world.task.kcl.application_name:
            scans.append(table)
            if len(scans) == 1:
                assert other[0].hold.finish(other[0].progress, CopyListener())
                world.put_lease()
        return passed_on(moto_url, request)

    parts = [part.begin() for part in world.parts()[1:]]
    assert not parts[0].finish()
    with serving(serve) as edge:
        slow = World(replace(world.task, kcl=replace(world.task.kcl, endpoint=edge.url)), tmp_path)
        slow.clock = world.clock
        late = Part(slow, 0).begin()
        for part in (late, parts[1]):
            part.progress.finished_at = world.clock.now()
            part.row.save(part.progress)
        other.append(parts[1])
        assert late.hold.finish(late.progress, CopyListener())
    assert world.state() is CopyState.DONE and scans


def test_a_copy_that_takes_the_place_of_parts_begins_when_nothing_of_them_is_on_its_way(
    world: World,
) -> None:
    """One that is paused, or has not looked yet, would write beside it, and beside a daemon."""
    paused = Part(world, 0).begin()
    paused.hold.look(paused.progress)
    copied = world.run_copy(1, restart=True)
    assert copied.progress.token != paused.progress.token
    assert paused.hold.fence.remaining() <= 0


def test_no_part_writes_beside_a_copy_whose_place_is_taken(world: World) -> None:
    """Also where the one that took it was stopped while it waited."""
    paused = Part(world, 2).begin()
    paused.hold.look(paused.progress)
    stopped = Part(world, 0).begin(restart=True)
    stopped.hold.look(stopped.progress)
    stopped.row.release(stopped.progress)
    parts = [Part(world, number).begin() for number in (0, 1)]
    for part in parts:
        assert part.hold.seconds_to_alone() == 25.0
    world.clock.turn(25)
    assert paused.hold.fence.remaining() <= 0
    parts[0].hold.look(parts[0].progress)
    assert Part(world, 2).begin().hold.seconds_to_alone() == 0.0


def test_a_part_that_was_paused_writes_no_item_before_it_has_looked(world: World) -> None:
    """What its workers told is written down first, and its row is its own still."""
    part = Part(world, 0).begin()
    part.hold.look(part.progress)
    world.clock.turn(30)
    settle_mark(world.task, world.clock.now(), started=False, adopt=True)
    part.row.save(part.progress)
    assert part.hold.fence.remaining() <= 0
    with pytest.raises(ConfigError, match="gave it up"):
        part.hold.look(part.progress)
    assert part.hold.fence.remaining() <= 0


def test_a_part_writes_nothing_when_the_writers_have_moved(world: World) -> None:
    """What they write is laid over no more; by one that was begun as they moved, too."""
    part = Part(world, 0).begin()
    part.hold.look(part.progress)
    replace_switch(world.task, None, SwitchMark("t", SwitchState.OVER, "host-1", 5.0))
    world.clock.turn(30)
    with pytest.raises(ConfigError, match="was switched over"):
        part.hold.look(part.progress)
    assert part.hold.fence.remaining() <= 0


def test_who_does_not_write_his_row_writes_no_item(world: World) -> None:
    """Paused, or cut off from the rows, he waits until the row is his again."""
    part = Part(world, 0).begin()
    part.hold.look(part.progress)
    world.clock.turn(30)
    assert part.hold.fence.remaining() <= 0
    world.wait = turning(world.clock, lambda: part.hold.look(part.progress))
    part.hold.fence.hold()
    assert part.hold.fence.remaining() > 0


def test_a_process_that_is_killed_as_it_looks_at_the_row_stops_no_other(world: World) -> None:
    """The kernel kills one for want of memory at whatever moment; the part still ends."""
    part = Part(world, 0).begin()

    def look_on() -> None:
        while True:
            part.hold.fence.remaining()

    for _ in range(20):
        worker = get_context("fork").Process(target=look_on, daemon=True)
        worker.start()
        time.sleep(0.01)
        worker.kill()
        worker.join()
        with at_most(2):
            part.hold.look(part.progress)
            assert part.hold.fence.remaining() > 0


def test_progress_is_written_every_few_seconds_and_at_the_end(world: World) -> None:
    """Not with every page: a row costs units by its size."""
    part = Part(world, 0).begin()
    for items, seen in ((1, 0), (2, 0)):
        part.progress.items = items
        part.row.save(part.progress)
        found = read_part(world.task, part.place)
        assert found and found.items == seen
    world.clock.turn(5)
    part.row.save(part.progress)
    found = read_part(world.task, part.place)
    assert found and found.items == 2


@pytest.mark.parametrize("key", ["KclProcessorCopy", "KclProcessorCopyPart-0-of-2"])
def test_credentials_that_are_being_renewed_end_no_copy(
    moto_url: str, tmp_path: Path, key: str
) -> None:
    """Neither its mark nor a part's row can be written for a while; it goes on then."""
    refusals = Refusals(moto_url, key)
    task = never_ran(moto_url)
    with serving(refusals) as edge:
        task = replace(task, kcl=replace(task.kcl, endpoint=edge.url))
        world = World(task, tmp_path)
        options = CopyOptions(part=Segment(0, 2) if "Part" in key else None, processes=1)
        files = TaskFiles(task, tmp_path)
        told = Told()
        copied = run_copy(files, options, told, TurningHalt(world), world.clock)
    assert copied.progress.finished_at and refusals.made == 2
    assert "300 s for that" in told.lines[0]


class Refusals:
    """A way to a service that refuses the credentials twice as a row is written again."""

    def __init__(self, url: str, key: str) -> None:
        self.made = 0
        self._url = url
        self._key = {"S": key}
        self._written = 0

    def __call__(self, request: Request) -> Reply:
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        item = json.loads(request.body).get("Item", {})
        if operation == "PutItem" and item.get("key") == self._key:
            self._written += 1
            if self._written in (2, 3):
                self.made += 1
                code = "com.amazon.coral.service#UnrecognizedClientException"
                return Reply.of({"__type": code}, 400)
        return passed_on(self._url, request)


def test_of_parts_that_begin_at_once_one_begins_the_copy(world: World) -> None:
    """The other is told that there is one to join."""
    one, two, _ = world.parts()
    for part in (one, two):
        part.hold.refuse_others(part.row.load(), restart=False)
    one.hold.begin(one.progress, signs_of_life(world.task))
    assert not one.hold.was_overtaken()
    with pytest.raises(Overtaken):
        two.hold.begin(two.progress, signs_of_life(world.task))
    assert two.hold.was_overtaken()
    two.progress = world.new(two.place)
    assert two.begin().progress.token == one.progress.token


def test_a_daemon_beside_one_part_disturbs_all(world: World) -> None:
    """Whoever sees it: no part is gone on with."""
    one, two, _ = [part.begin() for part in world.parts()]
    world.put_lease()
    with pytest.raises(StillRunning) as moved:
        one.hold.look(one.progress)
    one.hold.disturb(one.progress, moved.value.message)
    assert world.state() is CopyState.DISTURBED
    two.row.release(two.progress)
    with pytest.raises(ConfigError, match="disturbed"):
        Part(world, 1).begin()


def test_a_daemon_that_lived_while_a_part_was_dead_is_noticed(world: World) -> None:
    """And then no other part goes on, either."""
    part = Part(world, 0).begin()
    part.row.release(part.progress)
    world.put_lease()
    with pytest.raises(ConfigError, match="the daemon was alive since"):
        Part(world, 0).begin()
    assert world.state() is CopyState.DISTURBED


def test_parts_of_a_copy_that_was_given_up_or_begun_anew_end(world: World) -> None:
    """They do not go on, and a copy that is begun anew is joined by the others."""
    one, two, _ = [part.begin() for part in world.parts()]
    anew = Part(world, 2).begin(restart=True)
    with pytest.raises(ConfigError, match="Another copy") as ended:
        one.hold.look(one.progress)
    assert "--part 0/3 and so on" in ended.value.hint, "this one joins it"
    one.row.release(one.progress)
    assert Part(world, 0).begin().progress.token == anew.progress.token
    settle_mark(world.task, world.clock.now(), started=False, adopt=True)
    with pytest.raises(ConfigError, match="gave it up"):
        anew.hold.look(anew.progress)
    two.row.release(two.progress)
    with pytest.raises(ConfigError, match="given up"):
        Part(world, 1).begin()


def test_a_finished_part_of_a_copy_that_was_given_up_is_not_the_whole(world: World) -> None:
    """There is no mark of a copy that a daemon has followed, either; but all its parts are done."""
    first, second, third = [part.begin() for part in world.parts()]
    assert not first.finish() and not second.finish()
    third.row.release(third.progress)
    settle_mark(world.task, world.clock.now(), started=False, adopt=True)
    with pytest.raises(ConfigError, match="given up") as refused:
        world.run_copy(0)
    assert "--repair --delete-extra, beside the daemon; or stop" in refused.value.hint
    assert "copy --restart --no-to-empty-only" in refused.value.hint


def test_a_part_that_sees_a_daemon_that_follows_another_copy_stops_none(world: World) -> None:
    """Its own copy's mark is gone, or another's; typed again, it is told the same."""
    part = Part(world, 0).begin()
    anew = [Part(world, number).begin(restart=True) for number in (1, 2)][-1:]
    error = part.hold.disturb(part.progress, "the daemon is running")
    assert "Another copy" in error.message and "stop the daemon" not in error.hint
    settle_mark(world.task, world.clock.now(), started=False, adopt=True)
    mend = f"kcl-processor verify {world.task.name} --repair --delete-extra, beside the daemon"
    assert part.hold.disturb(part.progress, "the daemon is running").hint.startswith(mend)
    for late in (part, *anew):
        with pytest.raises(ConfigError, match="gave it up"):
            late.hold.look(late.progress)
        late.row.release(late.progress)
    with pytest.raises(ConfigError, match="gave it up") as again:
        Part(world, 0).begin()
    assert again.value.hint.startswith(mend)


def test_a_part_of_a_copy_that_a_daemon_has_followed_was_finished_before(world: World) -> None:
    """Its mark is gone, as it has done its work."""
    assert [part.begin().finish() for part in world.parts()] == [False, False, True]
    settle_mark(world.task, world.clock.now(), started=True, adopt=False)
    assert world.state() is None
    assert world.run_copy(0).whole
    # What it has filled is not there any more.
    later = replace(world.ours.destination, created=world.ours.destination.created + 60)
    world.ours = replace(world.ours, destination=later)
    with pytest.raises(ConfigError, match="is not the one that this copy began with"):
        Part(world, 0).begin()


def held(world: World, place: Segment) -> PartHold:
    """A hold on a part of as many as are wanted, which has looked at the others."""
    row = PartRow(world.task, place, world.clock, world.wait)
    files = TaskFiles(world.task, world.folder)
    hold = PartHold(files, place, row, world.ours, world.clock, world.wait)
    hold.refuse_others(row.load(), restart=False)
    return hold


def whole(world: World) -> CopyHold:
    """A hold on a copy in no parts, which has looked at the others."""
    files = TaskFiles(world.task, world.folder / "whole")
    hold = CopyHold(files, world.ours, world.clock, world.wait)
    hold.refuse_others(None, restart=False)
    return hold


def test_other_parts_or_a_whole_copy_do_not_mix(world: World) -> None:
    """A part of four is none of three's."""
    Part(world, 0).begin()
    with pytest.raises(ConfigError, match="not finished"):
        held(world, Segment(0, 4))


def test_the_one_part_of_a_copy_is_no_part_of_a_copy_in_none(world: World) -> None:
    """It would scan no segment, and say that what that copy has left is done."""
    hold, progress = whole(world), world.progress()
    hold.begin(progress, signs_of_life(world.task))
    with pytest.raises(ConfigError, match="not finished"):
        held(world, Segment(0, 1))
    hold.look(progress)
    assert world.state() is CopyState.BEGUN


def test_a_copy_in_one_part_is_gone_on_with_as_such(world: World) -> None:
    """On any host, also if it was cut off before its row was there."""
    one = Segment(0, 1)
    held(world, one).begin(world.new(one), signs_of_life(world.task))
    joined = held(world, one).joined
    assert joined and joined.segments == SEGMENTS
    with pytest.raises(ConfigError, match="not finished") as refused:
        whole(world)
    assert "--part 0/1" in refused.value.hint


def test_who_joins_a_copy_knows_whether_the_destination_was_empty(world: World) -> None:
    """The last part tells what is left to do, and need not be the one that began."""
    replica = world.task.destination
    clients.tables(replica).put_item(TableName=replica.table, Item={"pk": {"S": "k"}})
    first = world.run_copy(0, restart=True, to_empty_only=False)
    last = world.run_copy(1)
    assert not first.progress.to_empty and not last.progress.to_empty
