"""A copy is alone with its destination, on whatever host somebody else may be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from kcl_processor.aws import clients
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError, OperatorError
from kcl_processor.fleet.lease_changes import load as load_leases
from kcl_processor.fleet.running import StillRunning, signs_of_life
from kcl_processor.launch.copy_mark import CopyMark, CopyState, read_mark, replace_mark, settle_mark
from kcl_processor.launch.identity import read_claim, write_claim
from kcl_processor.launch.live_mark import (
    LiveMark,
    read_live_mark,
    refuse_live_unfinished,
    replace_live_mark,
)
from kcl_processor.launch.switch_mark import SwitchMark, SwitchState, replace_switch
from kcl_processor.table.copy_hold import CopyHold, mark_earlier
from kcl_processor.table.copy_progress import CopyProgress, load, save
from kcl_processor.table.copy_watch import CopyListener
from tests.edges import Reply, Request, passed_on, serving
from tests.kcl_tables import rows_in
from tests.table.copied import LEASE, CopyWorld, Told, never_ran

HOUR = 3600.0


class World(CopyWorld):
    """A task on one host; ``elsewhere`` is another."""

    def __init__(self, task: Task, folder: Path) -> None:
        super().__init__(task)
        self.files, self.elsewhere = TaskFiles(task, folder / "here"), TaskFiles(task, folder / "b")

    def hold(self, files: TaskFiles | None = None) -> CopyHold:
        return CopyHold(files or self.files, self.ours, self.clock, self.clock.turn)

    def begun(self) -> tuple[CopyHold, CopyProgress]:
        """A copy that has begun, and has not written yet."""
        hold, progress = self.hold(), self.progress()
        hold.refuse_others(None, restart=False)
        hold.begin(progress, signs_of_life(self.task))
        return hold, progress

    def gone_on_with(self) -> CopyHold:
        """The next run of the copy, on the same host, as far as its first write."""
        hold, progress = self.hold(), load(self.files.copy_progress)
        assert progress is not None
        hold.refuse_others(progress, restart=False)
        hold.begin(progress, signs_of_life(self.task))
        return hold


@pytest.fixture
def world(moto_url: str, tmp_path: Path) -> World:
    """A task whose tables are all there, and that never ran."""
    return World(never_ran(moto_url), tmp_path)


def test_a_copy_that_was_cut_off_goes_on_where_it_was_and_nowhere_else(world: World) -> None:
    """Its host knows how far it came; another begins anew, which ends the first."""
    _, progress = world.begun()
    assert world.state() is CopyState.BEGUN
    with pytest.raises(ConfigError, match="not finished"):
        settle_mark(world.task, world.clock.now(), started=False, adopt=False)
    here = world.gone_on_with()
    with pytest.raises(ConfigError, match="not finished"):
        world.hold(world.elsewhere).refuse_others(None, restart=False)
    there, anew = world.hold(world.elsewhere), world.progress()
    there.refuse_others(None, restart=True)
    there.begin(anew, signs_of_life(world.task))
    with pytest.raises(ConfigError, match="Another copy") as ended:
        here.look(progress)
    elsewhere = read_mark(world.task)
    assert elsewhere
    seen_there = replace(elsewhere, host="another")
    replace_mark(world.task, elsewhere, seen_there)
    with pytest.raises(ConfigError, match="Another copy"):
        world.gone_on_with()
    replace_mark(world.task, seen_there, elsewhere)
    assert f"kcl-processor copy {world.task.name}, on " in ended.value.hint, "not to displace that"
    there.look(anew)
    assert world.state() is CopyState.BEGUN
    assert there.finish(anew, CopyListener())
    with pytest.raises(ConfigError, match="and is whole") as followed:
        world.gone_on_with()
    follow = f"kcl-processor run {world.task.name} follows that one"
    assert followed.value.hint.startswith(follow)
    world.put_lease()
    with pytest.raises(StillRunning):
        here.look(progress)
    error = here.disturb(progress, "the daemon is running")
    assert error.hint.startswith(follow), "the daemon is that one's"
    assert world.state() is CopyState.DONE


def test_a_copy_that_is_begun_anew_is_unfinished_at_once(world: World) -> None:
    """Cut off before its first page, it is not taken for the finished one before it."""
    hold, progress = world.begun()
    progress.finished_at = world.clock.now()
    save(world.files.copy_progress, progress)
    hold.finish(progress, CopyListener())
    again = world.hold()
    again.refuse_others(None, restart=True)
    again.begin(world.progress(), signs_of_life(world.task))
    found = load(world.files.copy_progress)
    assert found is not None and found.finished_at is None
    world.gone_on_with()


def test_a_copy_that_was_cut_off_before_its_first_page_is_not_told_to_go_on(world: World) -> None:
    """Between its mark and its progress; what it is told to type is not what has just failed."""
    world.begun()
    world.files.copy_progress.unlink()
    with pytest.raises(ConfigError, match="not finished, and ") as refused:
        world.hold().refuse_others(None, restart=False)
    assert refused.value.hint.endswith("copy --restart --no-to-empty-only " + world.task.name)
    assert "goes on" not in refused.value.hint
    world.hold().refuse_others(None, restart=True)


def test_a_copy_begun_anew_that_was_cut_off_at_once_is_not_told_to_go_on(world: World) -> None:
    """Between its mark and its progress: this host keeps that of the copy before it still."""
    _, before = world.begun()
    hold = world.hold()
    hold.refuse_others(None, restart=True)
    hold.begin(world.progress(), signs_of_life(world.task))
    save(world.files.copy_progress, before)
    with pytest.raises(ConfigError, match="is an earlier one's: it was cut off") as refused:
        world.gone_on_with()
    assert refused.value.hint.endswith("copy --restart --no-to-empty-only " + world.task.name)
    assert "goes on" not in refused.value.hint


def test_an_import_that_this_host_began_is_gone_on_with_by_the_managed_way(world: World) -> None:
    """It keeps no progress here."""
    begun = CopyMark.begun("one", world.clock.now(), world.clock.now(), forced=False, export="arn")
    assert replace_mark(world.task, None, begun)
    with pytest.raises(ConfigError, match="not finished") as refused:
        world.hold().refuse_others(None, restart=False)
    assert refused.value.hint.startswith("kcl-processor copy --managed, if that began it; or ")


def test_a_displaced_copy_whose_successor_a_daemon_has_followed_stops_no_daemon(
    world: World,
) -> None:
    """Each time it is typed: whether it noticed or was killed first, a proof beside it mends."""
    hold, progress = world.begun()
    there, anew = world.hold(world.elsewhere), world.progress()
    there.refuse_others(None, restart=True)
    there.begin(anew, signs_of_life(world.task))
    assert there.finish(anew, CopyListener())
    settle_mark(world.task, world.clock.now(), started=True, adopt=False)
    mend = f"kcl-processor verify {world.task.name} --repair --delete-extra, beside the daemon"
    with pytest.raises(ConfigError, match="not the last word") as killed:
        world.gone_on_with()
    assert killed.value.hint.startswith(mend)
    with pytest.raises(ConfigError, match="has followed one in its place"):
        hold.look(progress)
    with pytest.raises(ConfigError, match="has followed one in its place") as again:
        world.gone_on_with()
    assert again.value.hint.startswith(mend)


def test_a_daemon_that_came_alive_meanwhile_keeps_its_place(world: World) -> None:
    """It said so before it looked for the mark; nothing is left of the copy."""
    signs = signs_of_life(world.task)
    world.put_lease()
    hold, progress = world.hold(), world.progress()
    with pytest.raises(StillRunning):
        hold.begin(progress, signs)
    assert world.state() is None and load(world.files.copy_progress) is None


def test_a_copy_that_can_keep_no_progress_leaves_all_as_it_was(world: World) -> None:
    """Where its state directory is full, a daemon may start as before."""
    world.files.state.write_text("no folder")
    hold = world.hold()
    hold.refuse_others(None, restart=True)
    with pytest.raises(ConfigError, match="cannot be written"):
        hold.begin(world.progress(), signs_of_life(world.task))
    assert world.state() is None


def test_a_daemon_beside_the_copy_disturbs_it_for_good(world: World) -> None:
    """Whether the copy sees it or was dead when it lived: what is copied cannot be gone on with."""
    hold, progress = world.begun()
    hold.look(progress)
    world.put_lease()
    with pytest.raises(StillRunning) as moved:
        hold.look(progress)
    error = hold.disturb(progress, moved.value.message)
    assert "copy --restart --no-to-empty-only" in error.hint
    assert world.state() is CopyState.DISTURBED
    with pytest.raises(ConfigError, match="disturbed"):
        world.gone_on_with()
    with pytest.raises(ConfigError, match="disturbed"):
        settle_mark(world.task, world.clock.now(), started=True, adopt=False)


def test_a_copy_that_is_disturbed_as_it_ends_is_not_done_for_want_of_room(world: World) -> None:
    """Its file says that all is copied, and cannot be written any more; its mark can."""
    hold, progress = world.begun()
    progress.finished_at = world.clock.now()
    save(world.files.copy_progress, progress)
    world.put_lease()
    world.files.copy_progress.unlink()
    world.files.copy_progress.mkdir()
    with pytest.raises(StillRunning) as moved:
        hold.finish(progress, CopyListener())
    with pytest.raises(ConfigError, match="cannot be written"):
        hold.disturb(progress, moved.value.message)
    assert world.state() is CopyState.DISTURBED


def test_a_daemon_that_lived_while_the_copy_was_dead_is_noticed(world: World) -> None:
    """Killed, with a daemon forced up meanwhile, the copy does not go on over its traces."""
    world.begun()
    world.put_lease()
    with pytest.raises(ConfigError, match="the daemon was alive since"):
        world.gone_on_with()
    assert world.state() is CopyState.DISTURBED


def test_a_copy_that_was_given_up_ends_and_is_not_gone_on_with(world: World) -> None:
    """`run --adopt` on another host removes its mark."""
    hold, progress = world.begun()
    settle_mark(world.task, world.clock.now(), started=False, adopt=True)
    with pytest.raises(ConfigError, match="gave it up while it was at work") as ended:
        hold.look(progress)
    assert "--repair --delete-extra, beside the daemon" in ended.value.hint
    with pytest.raises(ConfigError, match="disturbed"):
        world.gone_on_with()


def test_a_finished_copy_sets_earlier_checkpoints_aside(world: World) -> None:
    """The daemon reads from the oldest change; what was there is saved."""
    world.put_lease()
    assert write_claim(world.task, None, world.ours)
    hold, progress = world.begun()
    told = Told()
    hold.finish(progress, told)
    table = world.task.kcl.application_name
    assert rows_in(clients.checkpoints(world.task), table) == []
    (saved,) = world.files.every_saved_leases()
    assert load_leases(saved, world.task) == [LEASE] and str(saved) in told.lines[0]
    assert world.state() is CopyState.DONE


def test_a_finish_that_is_repeated_takes_what_it_set_aside_for_no_daemon(world: World) -> None:
    """As when the credentials are refused after the last lease has gone."""
    world.put_lease()
    assert write_claim(world.task, None, world.ours)
    hold, progress = world.begun()
    for _ in range(2):
        assert hold.finish(progress, CopyListener())
    assert world.state() is CopyState.DONE


def test_a_finish_that_comes_late_takes_no_lease_of_a_daemon(
    world: World, moto_url: str, tmp_path: Path
) -> None:
    """As when an answer takes long, and another has begun anew, ended, and been followed."""
    scans: list[str] = []

    def serve(request: Request) -> Reply:
        table = world.task.kcl.application_name
        is_scan = request.headers["X-Amz-Target"].endswith("Scan")
        if is_scan and orjson.loads(request.body)["TableName"] == table:
            scans.append(table)
            if len(scans) == 2:
                world.put_lease()
        return passed_on(moto_url, request)

    hold, progress = world.begun()
    with serving(serve) as edge:
        late = replace(world.task, kcl=replace(world.task.kcl, endpoint=edge.url))
        hold = CopyHold(TaskFiles(late, tmp_path), world.ours, world.clock, world.clock.turn)
        hold.refuse_others(progress, restart=False)
        hold.begin(progress, signs_of_life(world.task))
        scans.clear()
        with pytest.raises(StillRunning):
            hold.finish(progress, CopyListener())
    table = world.task.kcl.application_name
    assert rows_in(clients.checkpoints(world.task), table) == [LEASE]


def test_a_finished_copy_is_done_until_its_changes_leave_the_stream(world: World) -> None:
    """Unless a daemon follows; one that was killed before it said so is not done."""
    hold, progress = world.begun()
    progress.finished_at = world.clock.now()
    assert not hold.is_done(progress), "its mark says that it goes on"
    hold.finish(progress, CopyListener())
    assert hold.is_done(progress)
    world.clock.turn(48 * HOUR)
    with pytest.raises(GapError, match=r"began 48\.0 h ago"):
        hold.is_done(progress)
    with pytest.raises(GapError):
        hold.look(progress)
    world.put_lease()
    assert hold.is_done(progress)


def test_a_forced_copy_is_not_done_where_a_daemon_followed_and_its_tables_are_gone(
    world: World,
) -> None:
    """What changed since is in no stream; as long as its mark is there it may be old."""
    hold, progress = world.begun()
    progress.finished_at, progress.forced = world.clock.now(), True
    hold.finish(progress, CopyListener())
    world.clock.turn(48 * HOUR)
    assert hold.is_done(progress)
    settle_mark(world.task, world.clock.now(), started=True, adopt=False)
    later = world.hold()
    later.refuse_others(progress, restart=False)
    with pytest.raises(GapError):
        later.is_done(progress)


def test_a_table_that_was_made_anew_is_claimed_by_the_copy_that_fills_it(world: World) -> None:
    """A copy that goes on is refused; one that begins anew makes the claim true again."""
    world.begun()
    later = replace(world.ours.destination, created=world.ours.destination.created + 60)
    world.ours = replace(world.ours, destination=later)
    with pytest.raises(ConfigError, match="is not the one that this copy began with"):
        world.gone_on_with()
    hold = world.hold()
    hold.refuse_others(None, restart=True)
    hold.begin(world.progress(), signs_of_life(world.task))
    claimed = read_claim(world.task)
    assert claimed is not None and claimed.destination.incarnation == later


@pytest.mark.parametrize("finished", [False, True])
def test_a_copy_of_an_earlier_version_is_seen(world: World, *, finished: bool) -> None:
    """It left a file on its host and no mark: a start makes it, and the copy goes on from it."""
    progress = world.progress()
    progress.finished_at = world.clock.now() if finished else None
    save(world.files.copy_progress, progress)
    fields = orjson.loads(world.files.copy_progress.read_bytes())
    new = ("token", "signs", "disturbed", "to_empty", "forced")
    early = {name: value for name, value in fields.items() if name not in new} | {"version": 1}
    world.files.copy_progress.write_bytes(orjson.dumps(early))
    mark_earlier(world.elsewhere)
    assert world.state() is None
    mark_earlier(world.files)
    mark_earlier(world.files)
    assert world.state() is (CopyState.DONE if finished else CopyState.BEGUN)
    found = load(world.files.copy_progress)
    assert found is not None
    hold = world.hold()
    hold.refuse_others(found, restart=False)
    assert hold.is_done(found) is finished


def test_a_copy_of_an_earlier_version_that_was_started_over_is_given_up(world: World) -> None:
    """Whether the daemon ran beside it cannot be told any more."""
    save(world.files.copy_progress, world.progress())
    world.put_lease()
    mark_earlier(world.files)
    assert world.state() is None
    with pytest.raises(ConfigError, match="the daemon was started since"):
        world.gone_on_with()


def test_a_copy_that_was_paused_writes_no_item_before_it_has_looked(world: World) -> None:
    """Meanwhile another may have begun anew, and a daemon may have followed."""
    hold, progress = world.begun()
    assert hold.fence.remaining() > 0
    world.clock.turn(30)
    assert hold.fence.remaining() <= 0
    hold.look(progress)
    assert hold.fence.remaining() > 0
    world.clock.turn(30)
    there = world.hold(world.elsewhere)
    there.refuse_others(None, restart=True)
    there.begin(world.progress(), signs_of_life(world.task))
    with pytest.raises(ConfigError, match="Another copy"):
        hold.look(progress)
    assert hold.fence.remaining() <= 0


def test_a_copy_writes_nothing_when_the_writers_have_moved(world: World) -> None:
    """What they write is laid over no more; by one that was begun as they moved, too."""
    hold, progress = world.begun()
    replace_switch(world.task, None, SwitchMark("t", SwitchState.OVER, "host-1", 5.0))
    world.clock.turn(30)
    with pytest.raises(ConfigError, match="was switched over"):
        hold.look(progress)
    assert hold.fence.remaining() <= 0


def test_of_two_copies_that_begin_at_once_one_does(world: World) -> None:
    """The other is told, before it writes."""
    one, two = world.hold(), world.hold(world.elsewhere)
    for hold in (one, two):
        hold.refuse_others(None, restart=False)
    one.begin(world.progress(), {})
    with pytest.raises(OperatorError, match="begun just now"):
        two.begin(world.progress(), {})


@pytest.mark.parametrize("host", ["", "another"])
def test_a_copy_begun_anew_waits_for_the_end_of_one_that_another_host_has_begun(
    world: World, host: str
) -> None:
    """That one may be paused; of this host's own nothing is left, for the lock is held."""
    world.begun()
    mark = read_mark(world.task)
    assert mark
    if host:
        replace_mark(world.task, mark, replace(mark, host=host))
    hold, progress = world.hold(), world.progress()
    hold.refuse_others(None, restart=True)
    hold.begin(progress, signs_of_life(world.task))
    assert hold.seconds_to_alone() == (25.0 if host else 0.0)
    world.clock.turn(25)
    assert hold.seconds_to_alone() == 0.0


def test_a_copy_that_takes_a_live_ones_place_waits_for_its_last_page(world: World) -> None:
    """It is forgotten as the wait begins, and may have been at work on any host."""
    now = world.clock.now()
    live = LiveMark.begun("live", now, 1, 4, "", to_empty=True)
    assert replace_live_mark(world.task, None, live)
    hold, progress = world.hold(), world.progress()
    hold.refuse_others(None, restart=True)
    hold.begin(progress, signs_of_life(world.task))
    assert hold.seconds_to_alone() == 25.0
    assert read_live_mark(world.task) is None
    assert world.gone_on_with().seconds_to_alone() == 25.0, "it does not know how long that waited"


def test_a_copy_that_was_cut_off_before_it_forgot_a_live_one_has_its_place(world: World) -> None:
    """Both have a mark, and say that they are not finished."""
    now = world.clock.now()
    live = LiveMark.begun("live", now, 1, 4, "", to_empty=True)
    world.begun()
    assert replace_live_mark(world.task, None, live)
    refuse_live_unfinished(world.task, "copy without --live", now)
    assert world.gone_on_with().seconds_to_alone() == 25.0
    assert read_live_mark(world.task) is None and world.state() is CopyState.BEGUN


def test_who_goes_on_with_a_copy_that_was_stopped_while_it_waited_waits_as_well(
    world: World,
) -> None:
    """It may be started again at once; it has waited to the end when it has looked behind that."""
    world.begun()
    mark = read_mark(world.task)
    assert mark
    replace_mark(world.task, mark, replace(mark, host="another"))
    stopped, progress = world.hold(), world.progress()
    stopped.refuse_others(None, restart=True)
    stopped.begin(progress, signs_of_life(world.task))
    stopped.look(progress)
    hold = world.gone_on_with()
    assert hold.seconds_to_alone() == 25.0
    world.clock.turn(25)
    hold.look(progress)
    assert world.gone_on_with().seconds_to_alone() == 0.0
