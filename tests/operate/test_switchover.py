"""A switchover ends with a certificate, or with everything as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ExitCode, GapError, OperatorError, StillWritten
from kcl_processor.fleet.events import read_events
from kcl_processor.fleet.leases import SHARD_END, Lease
from kcl_processor.fleet.pause import ALL, IN_FORCE, Pause, pause, read_pauses, resume
from kcl_processor.fleet.tail import Record
from kcl_processor.fleet.throttle import Throttled
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.switch_mark import (
    SILENT,
    SwitchMark,
    SwitchState,
    TakenOver,
    beat_switch,
    read_switch,
    replace_switch,
)
from kcl_processor.operate.certificate import Certificate, Proof
from kcl_processor.operate.freeze import Freeze
from kcl_processor.operate.observe import Sight
from kcl_processor.operate.switchover import (
    NotReady,
    Parts,
    Switchover,
    hold,
    keep,
    take_back,
    thaw,
    withdraw,
    written_since,
)
from kcl_processor.operate.writer_watch import QUIET, ShardEnd, WriterWatch
from tests.fakes import HandClock
from tests.kcl_tables import fill, lease_row, make_task
from tests.policies import Table
from tests.sights import sight, view
from tests.tails import FakeSource

THEIRS = json.dumps({"Statement": [{"Sid": "Theirs", "Effect": "Allow"}]})
EQUAL = Proof(source=7, laid=7, destination=7, kept=0, differing=0, unsure=0)
PATIENCE = 60.0


class Killed(BaseException):
    """The process ends here, and does nothing more."""


@dataclass
class Stage:
    """A task whose every edge is a fake but for its row beside the checkpoints.

    Attributes:
        at: seconds since the beginning to what happens then.
        comparing: seconds that a comparison takes.
    """

    files: TaskFiles
    clock: HandClock = field(default_factory=HandClock)
    source: FakeSource = field(default_factory=lambda: FakeSource(logs={"a": []}))
    table: Table = field(default_factory=lambda: Table(THEIRS))
    leases: list[Lease] = field(default_factory=lambda: [lease_row("a", "5")])
    seen: Sight = field(default_factory=lambda: sight(view("a")))
    proof: Proof = EQUAL
    comparing: float = 0.0
    at: dict[float, Callable[[], object]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    compared: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.clock.elapsed()

    @property
    def passed(self) -> float:
        return self.clock.elapsed() - self.began

    def wait(self, seconds: float) -> None:
        self.clock.turn(seconds)
        for due in sorted(moment for moment in self.at if moment <= self.passed):
            self.at.pop(due)()

    def prove(self, on_turn: Callable[[], None], *, consistent: bool) -> Proof:
        self.compared.append(consistent)
        until = self.passed + self.comparing
        while self.passed < until:
            self.wait(1)
            on_turn()
        return self.proof

    def watch(self) -> WriterWatch:
        return WriterWatch(self.source, self.source.tails, self.clock)

    def freeze(self, sid: str, arn: str) -> Freeze:
        return Freeze(self.table, arn, "table orders", sid, self.clock, self.wait)

    @property
    def switchover(self) -> Switchover:
        ours = Identity(
            Incarnation("arn:source", 1.0, "1"), "arn:stream", Incarnation("arn:replica", 2.0)
        )
        parts = Parts(
            files=self.files,
            ours=ours,
            look=lambda: self.seen,
            watch=self.watch,
            leases=lambda: self.leases,
            freeze=self.freeze,
            prove=self.prove,
            clock=self.clock,
            wait=self.wait,
            say=self.said.append,
        )
        return Switchover(parts, PATIENCE)

    @property
    def mark(self) -> SwitchMark | None:
        return read_switch(self.files.task)

    def writes(self, number: int) -> Callable[[], None]:
        """A writer makes a change, and the daemon applies it at once."""

        def write() -> None:
            self.source.write("a", number)
            self.leases = [lease_row("a", str(number))]

        return write

    def is_paused(self) -> bool:
        """Whether nothing more goes out to the destination."""
        return any(one.shard is None for one in read_pauses(self.files.task))

    def is_as_it_was(self) -> bool:
        """No row, no certificate, the policy to the letter."""
        told = self.said[-1] == "Everything is as it was."
        left = self.mark or read_pauses(self.files.task)
        return told and not left and self.table.text == THEIRS


@pytest.fixture
def stage(moto_url: str, tmp_path: Path) -> Stage:
    task = make_task(moto_url)
    fill(task, [])
    return Stage(TaskFiles(task, tmp_path))


@pytest.mark.parametrize("deny", [False, True])
def test_it_ends_with_a_certificate(stage: Stage, *, deny: bool) -> None:
    """Which stands beside the checkpoints; the denial of writes stands as long."""
    stage.at = {3.0: stage.writes(6), 9.0: stage.writes(10)}
    certificate = stage.switchover.carry_out(None, deny=deny)
    assert stage.passed >= 9 + QUIET
    assert stage.compared == [True], "what was written before a scan is shown by it"
    assert certificate.shards == (ShardEnd("a", "10", closed=False),)
    assert (certificate.proof, certificate.frozen) == (EQUAL, deny)
    mark = stage.mark
    assert mark and mark.state is SwitchState.OVER
    assert Certificate.read(mark.certificate) == certificate
    sids = [one["Sid"] for one in stage.table.statements]
    assert sids == ["Theirs", *([mark.sid] if deny else [])]
    (paused,) = read_pauses(stage.files.task)
    assert paused.shard is None and str(paused).startswith("paused by the switchover of ")
    keep(stage.files, certificate)
    assert Certificate.read(stage.files.certificate.read_text()) == certificate
    take_back(stage.files, mark, stage.freeze, stage.clock.now())
    assert stage.mark is None and stage.table.text == THEIRS
    assert not stage.files.certificate.exists() and not read_pauses(stage.files.task)
    told = [(event.what, event.why) for event in read_events(stage.files.task)]
    assert told == [("paused", "by `switchover`"), ("resumed", "by `switchover`")]


@pytest.mark.parametrize("deny", [False, True])
def test_a_writer_that_goes_on_is_caught(stage: Stage, *, deny: bool) -> None:
    """In time, by a code of its own, with the shard and the moment of its last change."""
    stage.at = {number * 5.0 - 25: stage.writes(number) for number in range(6, 60)}
    with pytest.raises(StillWritten, match=r"1970-01-01T.*in shard a") as caught:
        stage.switchover.carry_out(None, deny=deny)
    assert caught.value.exit_code == ExitCode.WRITTEN
    assert PATIENCE <= stage.passed < PATIENCE + 30 and stage.is_as_it_was()
    assert stage.compared == []


def test_a_writer_that_comes_back_while_the_tables_are_compared_is_caught_then(
    stage: Stage,
) -> None:
    """A long comparison is not gone through with."""
    stage.comparing, stage.at = 5000.0, {100.0: stage.writes(9)}
    with pytest.raises(StillWritten):
        stage.switchover.carry_out(None, deny=True)
    assert stage.passed < 150 and stage.is_as_it_was()


def test_a_network_that_is_away_for_a_while_ends_no_long_comparison(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be read meanwhile is read behind it; a sign of life is given later."""
    away = OperatorError("dynamodb:DescribeStream failed", "try again")

    def beat(*given: Any) -> None:
        if stage.source.unlisted:
            raise away
        beat_switch(*given)

    monkeypatch.setattr("kcl_processor.operate.switchover.beat_switch", beat)
    stage.comparing = 600.0
    stage.at = {
        QUIET + 100: lambda: setattr(stage.source, "unlisted", away),
        QUIET + 300: lambda: setattr(stage.source, "unlisted", None),
    }
    assert stage.switchover.carry_out(None, deny=True).proof == EQUAL


def test_a_writer_that_comes_back_behind_the_comparison_is_caught(stage: Stage) -> None:
    """By the last look, which is as long as a change may be on its way to the stream."""
    stage.comparing, stage.at = 3.0, {QUIET + 3 + QUIET - 2: stage.writes(9)}
    with pytest.raises(StillWritten):
        stage.switchover.carry_out(None, deny=True)
    assert stage.compared == [True] and stage.is_as_it_was()


def test_a_daemon_that_does_not_get_through_ends_it(stage: Stage) -> None:
    """The shard is named, with its checkpoint and its last change."""
    stage.at = {1.0: lambda: stage.source.write("a", 9)}
    with pytest.raises(NotReady, match="shard a is at 5, and its last change is 9"):
        stage.switchover.carry_out(None, deny=True)
    assert stage.is_as_it_was()


def test_a_checkpoint_that_is_set_back_while_the_tables_are_compared_ends_it(stage: Stage) -> None:
    """Older states come by once more, and pausing the daemon would leave one of them there; but a
    daemon that is through with them in time has done no harm."""
    back = [lease_row("a", "TRIM_HORIZON")]
    stage.comparing, stage.at = 60.0, {QUIET + 30: lambda: setattr(stage, "leases", back)}
    with pytest.raises(NotReady, match="shard a is at TRIM_HORIZON, and was at 5"):
        stage.switchover.carry_out(None, deny=True)
    assert stage.is_as_it_was()
    stage.leases, through, now = [lease_row("a", "5")], [lease_row("a", "5")], stage.passed
    stage.at = {
        now + QUIET + 30: lambda: setattr(stage, "leases", back),
        now + QUIET + 90: lambda: setattr(stage, "leases", through),
    }
    assert stage.switchover.carry_out(None, deny=True).shards == (ShardEnd("a", "5", closed=False),)


def test_what_time_to_live_deleted_before_the_last_look_is_applied_for_sure(stage: Stage) -> None:
    """The daemon keeps a checkpoint before what is in doubt, and would delete it once more behind
    the certificate. What comes behind it is not waited for: it is counted."""
    stage.at = {number * 2.0: partial(expire, stage, 5 + number) for number in range(1, 60)}
    with pytest.raises(NotReady, match=r"shard a is at 5, and its last change is \d+"):
        stage.switchover.carry_out(None, deny=False)
    assert stage.is_as_it_was()
    through = stage.passed + 3 * QUIET
    stage.at[through] = lambda: setattr(stage, "leases", [lease_row("a", "60")])
    certificate = stage.switchover.carry_out(None, deny=False)
    assert stage.passed >= through and certificate.expired > 0


def expire(stage: Stage, number: int) -> None:
    """Time to live deletes something."""
    stage.source.write("a", number, expired=True)


def test_a_stream_that_cannot_be_read_ends_it(stage: Stage) -> None:
    """No writer is blamed for it."""
    stage.source.busy = {"a"}
    with pytest.raises(NotReady, match="could not be read to its end within 60 s: it is busy"):
        stage.switchover.carry_out(None, deny=True)
    stage.source.busy, stage.source.closed = set(), {"a"}
    with pytest.raises(NotReady, match="what follows shard a is not listed"):
        stage.switchover.carry_out(None, deny=True)
    assert stage.is_as_it_was()


@pytest.mark.parametrize("what", [{"differing": 2}, {"unsure": 1}])
def test_tables_that_are_not_equal_end_it(stage: Stage, what: dict[str, int]) -> None:
    """What is not known to be equal is not certified."""
    stage.proof = replace(EQUAL, **what)
    with pytest.raises(NotReady, match="are not equal") as refused:
        stage.switchover.carry_out(None, deny=True)
    assert "verify" in refused.value.hint and stage.is_as_it_was()


@pytest.mark.parametrize("ending", [KeyboardInterrupt, GapError("lost", "look")])
def test_whatever_ends_it_early_everything_is_as_it_was(stage: Stage, ending: Any) -> None:
    """Somebody stops it, or the stream loses changes."""

    def end() -> None:
        raise ending

    stage.at = {4.0: end}
    with pytest.raises((KeyboardInterrupt, GapError)):
        stage.switchover.carry_out(None, deny=True)
    assert stage.is_as_it_was()


def kill_at(stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds: float) -> SwitchMark | None:
    """A switchover that is killed after so many seconds: what it leaves is what stands there."""

    def end() -> None:
        raise Killed

    stage.at[seconds] = end
    with monkeypatch.context() as patch:
        patch.setattr(Switchover, "_undo", lambda _self: None)
        with pytest.raises(Killed):
            stage.switchover.carry_out(stage.mark, deny=True)
    return stage.mark


class Writes:
    """The writes of a command beside the checkpoints; it is killed before or behind one of them."""

    def __init__(self, at: int, *, behind: bool) -> None:
        self.seen = 0
        self._at = at
        self._behind = behind

    def counting(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """The write, counted."""

        def counted(*given: Any) -> Any:
            self.seen += 1
            if self.seen == self._at and not self._behind:
                raise Killed
            found = write(*given)
            if self.seen == self._at:
                raise Killed
            return found

        return counted


@contextmanager
def killed(
    monkeypatch: pytest.MonkeyPatch, at: int = 0, *, behind: bool = False
) -> Iterator[Writes]:
    """A command that is killed at a write and takes nothing back then; 0 only counts them."""
    writes = Writes(at, behind=behind)
    with monkeypatch.context() as patch:
        for name, write in (
            ("replace_switch", replace_switch),
            ("pause", pause),
            ("resume", resume),
        ):
            patch.setattr(f"kcl_processor.operate.switchover.{name}", writes.counting(write))
        for name in ("_undo", "_withdraw"):
            patch.setattr(Switchover, name, lambda _self: None)
        with pytest.raises(Killed) if at else nullcontext():
            yield writes


class Held(Freeze):
    """A process that is held up for long right before the statement is put."""

    meanwhile: Callable[[], None]

    def _replace(self, *asked: Any) -> bool:
        self.meanwhile()
        return super()._replace(*asked)


def held(stage: Stage, meanwhile: Callable[[SwitchMark], None], *, deny: bool = True) -> None:
    """A switchover that is held up between its note and its statement, and goes on then."""
    freeze, left = stage.freeze, [meanwhile]

    def hold_up() -> None:
        mark = stage.mark
        if left:
            assert mark and mark.sid, "it is noted before"
            stage.freeze = freeze  # type: ignore[method-assign]
            left.pop()(mark)

    def make(sid: str, arn: str) -> Freeze:
        made = Held(stage.table, arn, "table orders", sid, stage.clock, stage.wait)
        made.meanwhile = hold_up
        return made

    stage.freeze = make  # type: ignore[method-assign]
    with pytest.raises(TakenOver):
        stage.switchover.carry_out(None, deny=deny)


def back(stage: Stage, mark: SwitchMark) -> None:
    """Another command takes it back."""
    take_back(stage.files, mark, stage.freeze, stage.clock.now())


def test_one_that_was_held_up_before_its_statement_does_not_leave_it(stage: Stage) -> None:
    """Somebody took it back meanwhile, who saw none."""
    held(stage, partial(back, stage))
    assert stage.table.text == THEIRS and stage.mark is None


def test_one_that_was_held_up_leaves_the_next_ones_statement_alone(stage: Stage) -> None:
    """It takes its own out; and of one that goes on with it, nothing."""

    def another(mark: SwitchMark) -> None:
        back(stage, mark)
        other = replace(SwitchMark.begun("another", 5.0), sid="Sid2", source="arn")
        replace_switch(stage.files.task, None, other)
        stage.freeze("Sid2", "arn").put(lambda _before: None)

    held(stage, another)
    assert [one["Sid"] for one in stage.table.statements] == ["Theirs", "Sid2"]
    mark = stage.mark
    assert mark
    back(stage, mark)

    def go_on(mark: SwitchMark) -> None:
        replace_switch(stage.files.task, mark, mark.taken_over("another"))

    held(stage, go_on)
    mark = stage.mark
    assert mark and mark.sid in [one["Sid"] for one in stage.table.statements]


def test_one_that_is_stopped_after_it_was_taken_back_leaves_nothing(stage: Stage) -> None:
    """Whether it hears of that first, or somebody stops it."""

    def stop() -> None:
        mark = stage.mark
        assert mark
        back(stage, mark)
        stage.freeze(mark.sid, mark.source).put(lambda _before: None)
        raise KeyboardInterrupt

    stage.at = {5.0: stop}
    with pytest.raises(KeyboardInterrupt):
        stage.switchover.carry_out(None, deny=True)
    assert stage.table.text == THEIRS and stage.mark is None


def test_one_that_was_taken_back_while_it_paused_the_daemon_leaves_no_pause(stage: Stage) -> None:
    """Nobody would know why the daemon stands still."""
    task = stage.files.task
    with pytest.raises(TakenOver):
        hold(task, stage.clock, stage.wait, stage.said.append)
    assert read_pauses(task) == []


def test_one_that_was_held_up_before_its_pause_leaves_none(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody took it back meanwhile; it finds that out at once."""

    def held_up(task: Task, added: Pause) -> None:
        mark = stage.mark
        assert mark
        back(stage, mark)
        pause(task, added)

    monkeypatch.setattr("kcl_processor.operate.switchover.pause", held_up)
    with pytest.raises(TakenOver):
        stage.switchover.carry_out(None, deny=False)
    assert stage.passed < 2 * QUIET + 4 and not stage.is_paused()


def test_one_that_was_taken_back_as_it_was_over_leaves_no_pause(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it call what is no more its certificate."""

    def write(task: Task, before: SwitchMark | None, after: SwitchMark | None) -> None:
        replace_switch(task, before, after)
        if after and after.state is SwitchState.OVER:
            monkeypatch.undo()
            back(stage, after)

    monkeypatch.setattr("kcl_processor.operate.switchover.replace_switch", write)
    with pytest.raises(TakenOver):
        stage.switchover.carry_out(None, deny=False)
    assert not read_pauses(stage.files.task) and stage.mark is None


def test_wherever_it_is_killed_what_is_over_is_paused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and behind each of its writes: nothing of the source goes on to the destination while
    `status` calls the task switched over. Typed again it goes on to a certificate."""
    with killed(monkeypatch) as writes:
        stage.switchover.carry_out(None, deny=False)
    assert writes.seen == 3, "it is begun, paused and over"
    for at in range(1, writes.seen + 1):
        for behind in (False, True):
            over = stage.mark
            if over:
                back(stage, over)
            with killed(monkeypatch, at, behind=behind):
                stage.switchover.carry_out(None, deny=False)
            left = stage.mark
            assert stage.is_paused() or not left or left.state is not SwitchState.OVER
            if left and left.state is SwitchState.BEGUN:
                stage.seen = sight(view("a"), switching=left, pauses=read_pauses(stage.files.task))
                stage.switchover.check()
                stage.switchover.carry_out(left, deny=False)
                assert stage.is_paused()


def test_wherever_its_taking_back_is_killed_what_is_over_is_paused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And typed again it leaves everything as it was."""
    for at in (1, 2, 3):
        for behind in (False, True):
            stage.switchover.carry_out(None, deny=False)
            over = stage.mark
            assert over
            with killed(monkeypatch, at, behind=behind):
                back(stage, over)
            left = stage.mark
            assert stage.is_paused() or not left or left.state is not SwitchState.OVER
            if left:
                back(stage, left)
            assert stage.mark is None and not read_pauses(stage.files.task)


def test_one_that_goes_on_where_another_was_killed_lets_the_daemon_go_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was paused for the last look; what has come since is applied and compared. The pause of
    somebody else, and one of no switchover, still speak against it."""
    left = kill_at(stage, monkeypatch, 2 * QUIET + 4)
    assert left and left.state is SwitchState.BEGUN and stage.is_paused()
    task, pauses = stage.files.task, read_pauses(stage.files.task)
    stage.source.write("a", 9)
    stage.seen = sight(view("a", lag=3600.0), switching=left, pauses=pauses)
    stage.switchover.check()
    for others in ([Pause("a", "ops@host", 5.0)], pauses):
        stage.seen = sight(view("a"), switching=None if others is pauses else left, pauses=others)
        with pytest.raises(NotReady, match="paused by"):
            stage.switchover.check()

    def apply() -> None:
        assert not read_pauses(task)
        stage.leases = [lease_row("a", "9")]

    stage.at = {stage.passed + 2: apply}
    certificate = stage.switchover.carry_out(left, deny=False)
    assert certificate.shards == (ShardEnd("a", "9", closed=False),) and stage.is_paused()


@dataclass
class Network:
    """The way to the checkpoints, on which the answer to a write is lost for good.

    Attributes:
        at: which of the writes that is.
        made: whether it was written all the same.
        unread: how many readings of the row fail from then on.
    """

    at: int
    made: bool
    unread: int = 0
    writes: int = 0
    lost: bool = False

    def write(self, *given: Any) -> None:
        self.writes += 1
        if self.writes != self.at:
            return replace_switch(*given)
        self.lost = True
        if self.made:
            replace_switch(*given)
        raise OperatorError("dynamodb:PutItem failed", "try again")

    def read(self, task: Task) -> SwitchMark | None:
        if self.lost and self.unread:
            self.unread -= 1
            raise OperatorError("dynamodb:GetItem failed", "try again")
        return read_switch(task)

    def on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, call in (("replace_switch", self.write), ("read_switch", self.read)):
            monkeypatch.setattr(f"kcl_processor.operate.switchover.{name}", call)


BEGUN, DENIED, OVER = 1, 2, 3


@pytest.mark.parametrize("at", [BEGUN, DENIED, OVER])
def test_a_write_whose_answer_was_lost_is_gone_on_with(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """If it was made; no other command is there, and nobody is told of one."""
    Network(at, made=True).on(monkeypatch)
    certificate = stage.switchover.carry_out(None, deny=True)
    mark = stage.mark
    assert mark and mark.state is SwitchState.OVER
    assert Certificate.read(mark.certificate) == certificate


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("at", [BEGUN, DENIED, OVER])
def test_a_write_of_which_nothing_is_known_is_taken_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, at: int, *, made: bool
) -> None:
    """By what the row says once it can be read again; one that was not made leaves nothing."""
    Network(at, made, unread=1 if made else 0).on(monkeypatch)
    with pytest.raises(OperatorError, match="failed"):
        stage.switchover.carry_out(None, deny=True)
    assert stage.mark is None and not read_pauses(stage.files.task)
    assert stage.table.text == THEIRS
    assert not any("Another command" in said for said in stage.said)
    assert stage.said[-1:] == ([] if at == BEGUN and not made else ["Everything is as it was."])


def test_a_row_that_cannot_be_read_any_more_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether something is to be taken back is not known; with what to type for it."""
    with monkeypatch.context() as patch:
        Network(OVER, made=True, unread=99).on(patch)
        with pytest.raises(OperatorError, match="GetItem failed"):
            stage.switchover.carry_out(None, deny=True)
    assert "could not be taken back: dynamodb:GetItem failed" in stage.said[-1]
    mark = stage.mark
    assert mark and mark.state is SwitchState.OVER and stage.is_paused()
    back(stage, mark)


def test_one_that_was_taken_over_leaves_the_others_pause_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What that one certifies is paused by it."""
    left = kill_at(stage, monkeypatch, 2 * QUIET + 4)
    assert left
    other = left.taken_over("another")
    replace_switch(stage.files.task, left, other)
    withdraw(stage.files.task, left, stage.freeze, stage.clock.now())
    assert stage.is_paused() and other.sid in [one["Sid"] for one in stage.table.statements]


def test_what_was_certified_is_paused_by_whoever_comes_after_a_kill(stage: Stage) -> None:
    """Of a version that paused it last; and waits as long as that takes to be in force."""
    task = stage.files.task
    stage.switchover.carry_out(None, deny=False)
    resume(task, ALL)
    for waits in (True, True, False):
        before = stage.passed
        hold(task, stage.clock, stage.wait, stage.said.append)
        assert (stage.passed - before >= IN_FORCE) is waits
        (paused,) = read_pauses(task)
        assert paused.shard is None
        stage.clock.turn(8)


def test_one_that_is_at_work_gives_signs_of_life(stage: Stage) -> None:
    """However long the comparison takes; and ends soon after it was taken back elsewhere."""
    stage.comparing = 5000.0

    def look() -> None:
        mark = stage.mark
        assert mark and not mark.is_silent(stage.clock.now() + SILENT - 60)
        back(stage, mark)

    stage.at = {2000.0: look}
    with pytest.raises(TakenOver):
        stage.switchover.carry_out(None, deny=True)
    assert stage.passed < 2000 + 120 and stage.table.text == THEIRS


@pytest.mark.parametrize("seconds", [1.0, 10.0, QUIET + 5, 2 * QUIET])
def test_one_that_was_killed_goes_on_when_it_is_typed_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """With the same statement, from any step; and what was there before is still known."""
    stage.comparing = 10.0
    stage.table.stale = 2
    left = kill_at(stage, monkeypatch, seconds)
    assert left and left.state is SwitchState.BEGUN and left.policy == THEIRS
    certificate = stage.switchover.carry_out(left, deny=False)
    assert certificate.frozen and certificate.begun_at == left.started_at
    assert [one["Sid"] for one in stage.table.statements] == ["Theirs", left.sid]
    over = stage.mark
    assert over and over.sid == left.sid
    thaw(stage.files.task, over, stage.freeze)
    assert stage.table.text == THEIRS
    assert stage.mark == replace(over, sid="", source="", policy=None)


def test_one_that_was_killed_is_taken_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it was killed before the policy showed, and while it was being taken back."""
    left = kill_at(stage, monkeypatch, 5.0)
    assert left
    turned = replace(left, state=SwitchState.BACK)
    replace_switch(stage.files.task, left, turned)
    take_back(stage.files, turned, stage.freeze, stage.clock.now())
    assert stage.mark is None and stage.table.text == THEIRS


def test_pauses_that_somebody_made_since_stay(stage: Stage) -> None:
    """What is taken back is our own; one of all shards may be another's by then."""
    stage.switchover.carry_out(None, deny=False)
    task, mark = stage.files.task, stage.mark
    assert mark
    resume(task, ALL)
    others = [Pause(None, "ops@host", 5.0), Pause("a", "ops@host", 6.0)]
    for one in others:
        pause(task, one)
    take_back(stage.files, mark, stage.freeze, stage.clock.now())
    assert read_pauses(task) == others


def test_a_writer_that_comes_back_while_the_daemon_is_paused_is_caught(stage: Stage) -> None:
    """Before the certificate; and what `resume` let go on meanwhile is paused behind it."""
    stage.at = {2 * QUIET + 4: lambda: stage.source.write("a", 9)}
    with pytest.raises(StillWritten):
        stage.switchover.carry_out(None, deny=False)
    assert "paused" in stage.said[-2] and stage.is_as_it_was()
    stage.leases = [lease_row("a", "9")]
    stage.at = {stage.passed + 2 * QUIET + 4: lambda: resume(stage.files.task, ALL)}
    stage.switchover.carry_out(None, deny=False)
    assert not stage.at and stage.is_paused()


@pytest.mark.parametrize("passes", [True, False])
def test_a_look_behind_the_pause_that_tells_nothing_is_none(stage: Stage, *, passes: bool) -> None:
    """A writer comes back while the daemon is paused, and a shard is busy just then."""

    def come_back() -> None:
        stage.source.write("a", 9)
        stage.source.busy.add("a")

    paused = 2 * QUIET + 4
    stage.at = {paused: come_back}
    if passes:
        stage.at[paused + 5] = stage.source.busy.clear
    with pytest.raises(StillWritten if passes else NotReady):
        stage.switchover.carry_out(None, deny=False)
    assert "paused" in stage.said[-2] and stage.is_as_it_was()


def test_a_shard_that_closes_in_the_last_look_is_read_to_its_end(stage: Stage) -> None:
    """Which a daemon that is paused would not do: its children would go on."""

    def close() -> None:
        assert not stage.is_paused()
        stage.source.roll_over("a", "b")
        stage.at[stage.passed + 5] = end

    def end() -> None:
        assert not stage.is_paused()
        stage.leases = [lease_row("a", SHARD_END), lease_row("b", "TRIM_HORIZON", parents=["a"])]

    stage.at = {QUIET + 12: close}
    certificate = stage.switchover.carry_out(None, deny=False)
    assert [end.closed for end in certificate.shards] == [True, False] and stage.is_paused()


def test_one_that_is_stopped_while_it_pauses_the_daemon_is_taken_back(stage: Stage) -> None:
    """Its certificate was not printed yet."""

    def stop() -> None:
        raise KeyboardInterrupt

    stage.at = {2 * QUIET + 4: stop}
    with pytest.raises(KeyboardInterrupt):
        stage.switchover.carry_out(None, deny=True)
    assert "paused" in stage.said[-2] and stage.is_as_it_was()


def test_one_that_is_taken_over_changes_nothing_more(stage: Stage) -> None:
    """Neither does it take back what the other needs."""

    def take_over() -> None:
        mark = stage.mark
        assert mark
        replace_switch(stage.files.task, mark, mark.taken_over("another"))

    stage.at = {5.0: take_over}
    with pytest.raises(TakenOver):
        stage.switchover.carry_out(None, deny=True)
    mark = stage.mark
    assert mark and (mark.token, mark.state) == ("another", SwitchState.BEGUN)
    assert mark.sid in [one["Sid"] for one in stage.table.statements]


def test_a_denial_that_somebody_took_away_is_not_certified(stage: Stage) -> None:
    """Nothing kept the writers away then."""
    stage.at = {QUIET: lambda: stage.table.by_another()}
    with pytest.raises(NotReady, match="took the denial of writes out"):
        stage.switchover.carry_out(None, deny=True)
    assert stage.mark is None


def test_what_cannot_be_taken_back_is_told(stage: Stage) -> None:
    """With the command that does it later."""

    def deny_us() -> None:
        stage.table.refused = ["AccessDeniedException"]
        raise OperatorError("it broke", "mend it")

    stage.at = {8.0: deny_us}
    with pytest.raises(OperatorError, match="it broke"):
        stage.switchover.carry_out(None, deny=True)
    assert "could not be taken back: dynamodb:PutResourcePolicy" in stage.said[-1]
    assert stage.said[-1].endswith(f"switchover {stage.files.task.name} --back")
    mark = stage.mark
    assert mark and mark.state is SwitchState.BACK
    take_back(stage.files, mark, stage.freeze, stage.clock.now())
    assert stage.table.text == THEIRS


def test_all_that_speaks_against_it_is_told_before_anything_is_changed(stage: Stage) -> None:
    """No worker, a shard that is far behind, gaps, dead letters, a pause, what throttles it; looked
    at twice."""
    behind, paused = view("a", lag=3600.0), Pause("b", "ops@host", 0.0)
    hot = [Throttled("worker-2", "the alarm hot", 0.0)]
    stage.seen = sight(behind, live=[], gaps=1, dead_letters=2, pauses=[paused], throttled=hot)
    with pytest.raises(NotReady) as refused:
        stage.switchover.check()
    said = refused.value.message
    for reason in (
        "no worker",
        "shard a is behind",
        "1 open gap noted",
        "2 open dead letters noted",
        "shard b is paused by ops@host",
        "throttled by the alarm hot",
    ):
        assert reason in said
    assert stage.mark is None and stage.table.changes == 0
    # A shard that changes hands is whole again at the second look.
    stage.at = {stage.passed + 2: lambda: setattr(stage, "seen", sight(view("a")))}
    stage.switchover.check()


def test_dead_letters_that_come_all_the_time_speak_against_it(stage: Stage) -> None:
    """Though there are more of them at the second look than at the first."""
    stage.seen = sight(view("a"), dead_letters=1)
    more = sight(view("a"), dead_letters=2)
    stage.at = {2.0: lambda: setattr(stage, "seen", more)}
    with pytest.raises(NotReady, match=r"open dead letters? noted"):
        stage.switchover.check()


def test_checkpoints_may_be_as_rare_as_the_task_has_them(stage: Stage) -> None:
    """Nothing is late that is not due."""
    stage.seen = sight(view("a", lag=500.0))
    with pytest.raises(NotReady, match="behind by more than 60 s"):
        stage.switchover.check()
    stage.files = replace(stage.files, task=replace(stage.files.task, checkpoint_seconds=300))
    stage.switchover.check()


def test_a_difference_is_found_before_anybody_stops(stage: Stage) -> None:
    """Keys that never stood still are none: their writers have not stopped."""
    stage.proof = replace(EQUAL, unsure=3)
    assert stage.switchover.compare() == stage.proof and stage.compared == [False]
    stage.proof = replace(EQUAL, differing=1)
    with pytest.raises(NotReady, match="1 key differs"):
        stage.switchover.compare()
    assert stage.mark is None


def test_a_certificate_tells_whether_it_still_holds(stage: Stage) -> None:
    """By what came behind the ends that it names."""
    stage.at = {1.0: stage.writes(8)}
    certificate = stage.switchover.carry_out(None, deny=False)
    assert written_since(certificate, stage.watch(), stage.wait) == 0
    stage.source.roll_over("a", "b")
    stage.source.write("b", 9)
    assert written_since(certificate, stage.watch(), stage.wait) == 1


def test_a_certificate_whose_stream_cannot_be_read_now_is_not_called_true(stage: Stage) -> None:
    """A shard that is put off each time may hold anything; one that is put off now and then not."""
    certificate = stage.switchover.carry_out(None, deny=False)
    stage.source.busy = {"a"}
    stage.at = {}
    stage.source.write("a", 9)
    assert written_since(certificate, stage.watch(), stage.wait) is None
    stage.at = {stage.passed + 3: stage.source.busy.clear}
    assert written_since(certificate, stage.watch(), stage.wait) == 1


@dataclass(frozen=True)
class Write:
    """A writer's change: when it is made, shows in the stream, and is applied by the daemon."""

    made: float
    key: int
    delay: float
    lag: float


WRITES = st.builds(
    Write,
    made=st.floats(0, 110),
    key=st.integers(0, 3),
    # More than a stream is known for, and less than the quiet that is asked of it.
    delay=st.floats(0, QUIET - 2),
    lag=st.floats(0, 8),
)


class Replica:
    """Two tables, and a stream in which changes show in their order, some time after each.

    Args:
        closes: when the first shard is closed, and another takes its place.
        comparing: seconds that a comparison takes; each key is read at a moment of its own.
    """

    def __init__(self, stage: Stage, writes: list[Write], closes: float, comparing: float) -> None:
        self.stage = stage
        self.truth: dict[int, int] = {}
        self.applied: dict[int, int] = {}
        self.unapplied: list[Write] = []
        self.compared_at: float | None = None
        self._comparing = comparing
        self._shards = ["a"]
        self._moments: set[float] = set()
        stage.leases, stage.prove = [lease_row("a", "TRIM_HORIZON")], self.prove  # type: ignore[method-assign]
        self._at(closes, self._close)
        shown = applied = 0.0
        for number, write in enumerate(sorted(writes, key=lambda one: one.made), 1):
            made = self._at(write.made, partial(self._make, write, number))
            shown = self._at(max(shown, made + write.delay), partial(self._show, number))
            applied = self._at(max(applied, shown + write.lag), partial(self._apply, write, number))

    def prove(self, on_turn: Callable[[], None], *, consistent: bool) -> Proof:
        """Compare as `verify` does: what differs is read again for half a minute."""
        assert consistent
        began, left = self.stage.passed, set(range(4))
        while left and self.stage.passed < began + self._comparing + 30:
            self.stage.wait(1)
            on_turn()
            read = {key for key in left if self.stage.passed >= began + self._comparing * key / 4}
            left -= {key for key in read if self.truth.get(key, 0) == self.applied.get(key, 0)}
        self.compared_at = self.stage.passed
        return replace(EQUAL, differing=len(left))

    def _at(self, moment: float, what: Callable[[], None]) -> float:
        """Let something happen, alone in its moment; that moment."""
        while moment in self._moments:
            moment += 1e-6
        self._moments.add(moment)
        self.stage.at[moment] = what
        return moment

    def _make(self, write: Write, number: int) -> None:
        # Of two values only, so that a change may bring back what was there before.
        self.truth[write.key] = number % 2
        self.unapplied.append(write)

    def _show(self, number: int) -> None:
        self.stage.source.write(self._shards[-1], number)

    def _apply(self, write: Write, number: int) -> None:
        self.applied[write.key] = number % 2
        self.unapplied.remove(write)
        shard = next(
            name for name, log in self.stage.source.logs.items() if str(number) in map(_number, log)
        )
        ended = [lease_row("a", SHARD_END)] if shard != "a" else []
        self.stage.leases = [*ended, lease_row(shard, str(number))]

    def _close(self) -> None:
        self.stage.source.roll_over("a", "b")
        self._shards.append("b")
        if not self.unapplied:
            self.stage.leases = [lease_row("a", SHARD_END), lease_row("b", "TRIM_HORIZON")]


def _number(record: Record) -> str:
    return record.sequence_number


@settings(max_examples=80)
@given(
    writes=st.lists(WRITES, max_size=8),
    closes=st.floats(0, 90),
    comparing=st.floats(0, 30),
    deny=st.booleans(),
)
def test_what_is_certified_is_true_however_late_changes_show(
    moto_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    writes: list[Write],
    closes: float,
    comparing: float,
    *,
    deny: bool,
) -> None:
    """Every change that was made up to the comparison's end is at the destination, and no change
    that could show by then was passed over; or everything is as it was."""
    task = make_task(moto_url)
    fill(task, [])
    stage = Stage(TaskFiles(task, tmp_path_factory.getbasetemp()))
    replica = Replica(stage, writes, closes, comparing)
    try:
        certificate = stage.switchover.carry_out(None, deny=deny)
    except (StillWritten, NotReady):
        assert stage.is_as_it_was()
        return
    assert replica.compared_at is not None
    missing = [write for write in replica.unapplied if write.made <= replica.compared_at]
    assert not missing
    quiet_from = certificate.quiet_since - stage.clock.now() + stage.passed
    shown = [one for one in writes if quiet_from < one.made <= replica.compared_at]
    assert not shown, "the source was not quiet"
