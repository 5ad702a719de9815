"""Moving the writers of a task from its source to its destination, with nothing lost.

What proves that nothing is: once nobody writes any more, both tables are compared item by item, by
scans that show all that was written before them. A record that came late into the stream, however
late, is at the source by then, and so it would be a difference. That the stream is quiet, and that
every shard is read to its end, is needed besides: what is still on its way would be laid over what
new writers write at the destination. What is on its way is seen before the comparison and, for a
writer that went on meanwhile, during it and once more behind it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from kcl_processor.aws import clients
from kcl_processor.clock import Clock, utc
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import (
    GapError,
    OperatorError,
    PermissionDenied,
    SourceError,
    StillWritten,
)
from kcl_processor.fleet.events import note
from kcl_processor.fleet.leases import Lease
from kcl_processor.fleet.pause import ALL, IN_FORCE, Pause, pause, read_pauses, resume, whoever
from kcl_processor.fleet.stream import Stream
from kcl_processor.launch.claim import refuse
from kcl_processor.launch.copy_mark import refuse_unfinished
from kcl_processor.launch.identity import Identity, read_claim
from kcl_processor.launch.live_mark import refuse_live_unfinished
from kcl_processor.launch.preflight import check_destination, check_source, describe
from kcl_processor.launch.switch_mark import (
    BEAT,
    SwitchMark,
    SwitchState,
    TakenOver,
    beat_switch,
    read_switch,
    refuse_taken,
    replace_switch,
    taken_over,
)
from kcl_processor.operate.certificate import Certificate, Proof
from kcl_processor.operate.freeze import Freeze, new_sid
from kcl_processor.operate.health import found_again, problems
from kcl_processor.operate.observe import Sight
from kcl_processor.operate.status import pauses, throttles
from kcl_processor.operate.writer_watch import EMPTY_READINGS, QUIET, WriterWatch
from kcl_processor.state.durable import replace_file
from kcl_processor.transform.transform import digest_of
from kcl_processor.words import many

# Seconds that the oldest change behind a checkpoint may be old, unless checkpoints are as rare, and
# that a record processor may be without a delivery, for a switchover to begin.
MOST_LAG = 60.0
MOST_IDLE = 60.0
# Before what was found is looked at again: a shard that changes hands is for some seconds unowned.
_SECOND_LOOK = 5.0
_POLL = 1.0
# Of a stream that is to be read to its end: some may be put off, and tell nothing.
_MOST_READINGS = 4 * EMPTY_READINGS
# Who paused a task that was switched over, in the words of `status`.
_BY = "the switchover"
_PAUSED = f"the daemon is paused, which is in force in {IN_FORCE} s"
# Seconds between two looks at the stream while the tables are compared, and between two lines.
_WATCHING = 5.0
_LINES = 15.0

Wait = Callable[[float], None]
# Makes the denial of writes whose statement has that name, on the table of that ARN.
MakeFreeze = Callable[[str, str], Freeze]


class NotReady(OperatorError):
    """The task is not in a state to be switched over; what was changed is taken back."""


class Prove(Protocol):
    """Compares both tables whole."""

    def __call__(self, on_turn: Callable[[], None], *, consistent: bool) -> Proof:
        """The whole comparison; calls ``on_turn`` about every second, and ends if that raises."""


@dataclass(frozen=True)
class Parts:
    """What a switchover is made with.

    Attributes:
        look: takes a thorough look at the task.
        watch: makes a watch over the source's stream that has not begun.
        leases: reads the task's leases.
        wait: waits for some seconds; what it raises ends the switchover.
        say: tells the operator a step.
    """

    files: TaskFiles
    ours: Identity
    look: Callable[[], Sight]
    watch: Callable[[], WriterWatch]
    leases: Callable[[], list[Lease]]
    freeze: MakeFreeze
    prove: Prove
    clock: Clock
    wait: Wait
    say: Callable[[str], None]


class Switchover:
    """One command's work on the switchover of one task.

    Args:
        most_seconds: to wait for the writers to stop and the daemon to be through.
    """

    def __init__(self, parts: Parts, most_seconds: float) -> None:
        self._parts = parts
        self._task = parts.files.task
        self._clock = parts.clock
        self._most_seconds = most_seconds
        self._token = secrets.token_hex(8)
        self._mark: SwitchMark | None = None
        self._beat_at = 0.0

    def check(self) -> None:
        """Look whether the task may be switched over; nothing is changed.

        Raises:
            NotReady: it may not; all reasons are named.
            OperatorError: it cannot be looked at.
        """
        noted, found = self._problems()
        if found:
            self._parts.wait(_SECOND_LOOK)
            noted, again = self._problems()
            found = found_again(found, again)
        if found := [*found, *noted]:
            raise NotReady(
                f"Task {self._task.name} is not ready: {'; '.join(found)}.",
                f"kcl-processor doctor {self._task.name}, and mend what it finds; dead letters "
                f"with kcl-processor replay {self._task.name}, gaps and differences with "
                f"kcl-processor verify {self._task.name} --repair, pauses with kcl-processor "
                f"resume {self._task.name}",
            )

    def compare(self) -> Proof:
        """Compare both tables while writers still write: what differs then would differ later.

        Raises:
            NotReady: something differs.
            OperatorError: a table cannot be read.
        """
        proof = self._parts.prove(lambda: None, consistent=False)
        if proof.differing:
            raise self._unequal(proof)
        return proof

    def carry_out(self, before: SwitchMark | None, *, deny: bool) -> Certificate:
        """Everything from the first change on. Whatever ends it early takes all of it back.

        Args:
            before: what an earlier command left that has begun.
            deny: deny writes at the source, unless that one has done so already.

        Raises:
            StillWritten: somebody writes to the source.
            NotReady: the daemon does not get through, or the tables are not equal.
            TakenOver: another command goes on with it; what that one does not need is taken back.
            OperatorError: a call failed.
        """
        now, token = self._clock.now(), self._token
        mark = before.taken_over(token) if before else SwitchMark.begun(token, now)
        try:
            self._set(before, mark)
            # One that was killed behind its last look had paused it.
            _go_on(self._task, now)
            return self._certified(deny=deny or bool(mark.sid))
        except TakenOver:
            self._withdraw()
            raise
        except BaseException:
            self._undo()
            raise

    def _problems(self) -> tuple[list[str], list[str]]:
        """What is noted, and does not pass by itself; and what may be otherwise in a moment."""
        sight = self._parts.look()
        most_lag = max(MOST_LAG, 2.0 * self._task.checkpoint_seconds)
        counts = ((sight.gaps, "open gap"), (sight.dead_letters, "open dead letter"))
        noted = [f"{many(count, what)} noted on this host" for count, what in counts if count]
        # A pause of the switchover that this one goes on with ends when it does.
        others = [one for one in sight.pauses if not (sight.switching and _is_ours(one))]
        held = [*pauses(replace(sight, pauses=others)), *throttles(sight)]
        return noted, [*problems(sight, most_lag, MOST_IDLE), *held]

    def _certified(self, *, deny: bool) -> Certificate:
        parts = self._parts
        if deny:
            self._deny()
        parts.say(
            f"waiting until {self._task.source} was quiet for {QUIET:.0f} s and the daemon has "
            f"applied all of it, for up to {self._most_seconds:.0f} s"
        )
        watch = self._await_end()
        quiet_since = self._clock.now() - QUIET
        parts.say("nobody writes, and every shard is read to its end; comparing both tables")
        written = watch.written
        proof = self._proven(watch, written)
        parts.say(f"{proof.source:,} items compared, nothing differs; looking once more")
        self._look_last(watch, written)
        self._pause()
        # A look that was put off tells nothing: then it is to be quiet anew.
        self._look_on(watch, written, list)
        return self._certify(watch, proof, quiet_since)

    def _certify(self, watch: WriterWatch, proof: Proof, quiet_since: float) -> Certificate:
        parts, mark = self._parts, self._mark
        assert mark is not None
        if mark.sid and not parts.freeze(mark.sid, mark.source).stands():
            raise NotReady(
                f"Somebody took the denial of writes out of the policy of {self._task.source}.",
                f"find out who, then kcl-processor switchover {self._task.name} --freeze",
            )
        certificate = Certificate(
            task=self._task.name,
            host=mark.host,
            source=parts.ours.source,
            stream=parts.ours.stream,
            destination=parts.ours.destination,
            rules=parts.ours.rules,
            begun_at=mark.started_at,
            quiet_since=quiet_since,
            certified_at=self._clock.now(),
            shards=tuple(watch.ends()),
            proof=proof,
            expired=watch.expired,
            frozen=bool(mark.sid),
        )
        # One may have begun since it was looked at first.
        refuse_unfinished(self._task, self._clock.now())
        refuse_live_unfinished(self._task, "switch over", self._clock.now())
        over = replace(mark, state=SwitchState.OVER, certificate=certificate.text())
        self._set(mark, over)
        # Up to here somebody could type `resume`.
        if _whole(self._task) is None:
            hold(self._task, self._clock, parts.wait, parts.say)
        return certificate

    def _deny(self) -> None:
        mark = self._mark
        assert mark is not None
        sid, arn = mark.sid or new_sid(self._task), mark.source or self._parts.ours.source.arn

        def note(policy: str | None) -> None:
            before = self._mark
            self._set(before, replace(mark, sid=sid, source=arn, policy=policy))

        self._parts.freeze(sid, arn).put(note)
        # Between the note and the statement this process may have been held up for long.
        self._refuse_taken()
        self._parts.say(f"writes to {self._task.source} are denied, by statement {sid}")

    def _await_end(self) -> WriterWatch:
        watch, began = self._parts.watch(), self._clock.elapsed()
        watch.begin(self._parts.leases())
        said_at, written, written_at = began, 0, began
        while True:
            watch.look()
            now = self._clock.elapsed()
            if watch.written > written:
                written, written_at = watch.written, now
            behind = watch.behind(self._parts.leases()) if watch.quiet else []
            if watch.quiet and not behind:
                return watch
            if now - began >= self._most_seconds:
                raise self._unending(watch, behind, recent=now - written_at < 2 * QUIET)
            if now - said_at >= _LINES:
                said_at = now
                self._parts.say(_progress(watch, behind, now - written_at))
            self._beat()
            self._parts.wait(_POLL)

    def _unending(self, watch: WriterWatch, behind: list[str], *, recent: bool) -> OperatorError:
        seconds = f"within {self._most_seconds:.0f} s"
        if not watch.quiet and recent and watch.written:
            return self._written(watch)
        if not watch.quiet:
            orphans = watch.orphans()
            why = f"what follows shard {orphans[0]} is not listed" if orphans else "it is busy"
            return NotReady(
                f"The stream of {self._task.source} could not be read to its end {seconds}: {why}.",
                f"kcl-processor doctor {self._task.name}, then again, with more --wait",
            )
        return NotReady(
            f"The daemon has not applied everything {seconds}: {'; '.join(behind[:3])}.",
            f"kcl-processor status {self._task.name}, then again, with more --wait",
        )

    def _proven(self, watch: WriterWatch, written: int) -> Proof:
        last = self._clock.elapsed()

        def on_turn() -> None:
            nonlocal last
            if self._clock.elapsed() - last >= _WATCHING:
                watch.look()
                last = self._clock.elapsed()
                self._refuse_written(watch, written)
                self._beat()

        proof = self._parts.prove(on_turn, consistent=True)
        if proof.differing or proof.unsure:
            raise self._unequal(proof)
        return proof

    def _look_last(self, watch: WriterWatch, written: int) -> None:
        watch.await_all()
        watch.disturb()
        # Somebody may have set a checkpoint back, and older states come by once more.
        self._look_on(watch, written, lambda: watch.behind(self._parts.leases()))

    def _look_on(self, watch: WriterWatch, written: int, left: Callable[[], list[str]]) -> None:
        """Look until it is quiet, and nothing is left for the daemon to apply."""
        deadline = self._clock.elapsed() + self._most_seconds
        while True:
            watch.look()
            self._refuse_written(watch, written)
            behind = left() if watch.quiet else []
            if watch.quiet and not behind:
                return
            if self._clock.elapsed() >= deadline:
                raise self._unending(watch, behind, recent=False)
            self._beat()
            self._parts.wait(_POLL)

    def _pause(self) -> None:
        """Before its row says that it is over: no kill leaves one that is, and is not paused."""
        if _whole(self._task) is None:
            _pause(self._task, self._clock.now())
        # Before the pause this process may have been held up for long.
        self._refuse_taken()
        self._parts.say(_PAUSED)
        self._parts.wait(IN_FORCE)

    def _refuse_written(self, watch: WriterWatch, written: int) -> None:
        if watch.written > written:
            raise self._written(watch)

    def _written(self, watch: WriterWatch) -> StillWritten:
        shard, at = watch.last_written() or ("", 0.0)
        made = utc(at)
        return StillWritten(
            f"Somebody still writes to {self._task.source}: the last change was made at {made}, "
            f"and is in shard {shard}.",
            "stop that writer, whom CloudTrail's data events name, then "
            f"kcl-processor switchover {self._task.name}",
        )

    def _unequal(self, proof: Proof) -> NotReady:
        unsure = (
            f", and {many(proof.unsure, 'key is', 'keys are')} not decided" if proof.unsure else ""
        )
        return NotReady(
            f"{self._task.source} and {self._task.destination} are not equal: "
            f"{many(proof.differing, 'key differs', 'keys differ')}{unsure}.",
            f"kcl-processor verify {self._task.name} --repair, unless somebody writes to "
            f"{self._task.destination} already: it makes that what the source is",
        )

    def _set(self, before: SwitchMark | None, after: SwitchMark) -> None:
        try:
            replace_switch(self._task, before, replace(after, beat_at=self._clock.now()))
        except (TakenOver, PermissionDenied):
            raise
        except OperatorError:
            # It is written all the same where only the answer was lost.
            if read_switch(self._task) != after:
                raise
        self._mark, self._beat_at = after, self._clock.elapsed()

    def _beat(self) -> None:
        if self._mark is None or self._clock.elapsed() - self._beat_at < BEAT:
            return
        try:
            beat_switch(self._task, self._mark, self._clock.now())
        except (TakenOver, PermissionDenied):
            raise
        except OperatorError:
            # Made up for by the next one; what changes something is refused if it is another's.
            return
        self._beat_at = self._clock.elapsed()

    def _refuse_taken(self) -> None:
        assert self._mark is not None
        refuse_taken(self._task, self._mark)

    def _undo(self) -> None:
        try:
            found = read_switch(self._task)
            # What is ours there may be more than is known here, where an answer was lost.
            mark = found if found and found.token == self._token else self._mark
            if mark is None:
                return
            take_back(self._parts.files, mark, self._parts.freeze, self._clock.now())
        except TakenOver:
            self._withdraw()
            self._parts.say("Another command goes on with it, or has taken it back.")
        except OperatorError as failure:
            self._parts.say(
                f"What was changed could not be taken back: {failure.message} "
                f"Try: kcl-processor switchover {self._task.name} --back"
            )
        else:
            self._parts.say("Everything is as it was.")

    def _withdraw(self) -> None:
        """Take back what nobody needs who has gone on with it, or has taken it back."""
        mark = self._mark
        try:
            if mark:
                withdraw(self._task, mark, self._parts.freeze, self._clock.now())
        except OperatorError as failure:
            self._parts.say(
                f"What this command changed could not be taken back: {failure.message} "
                f"Try: kcl-processor switchover {self._task.name} --back"
            )


def identify(task: Task, clock: Clock, wait: Wait) -> Identity:
    """What a task is, as its tables are; it has gone on with its checkpoints, and no copy is open.

    Raises:
        ConfigError: the checkpoints are of other tables or rules, or a copy is not finished.
        NotReady: the daemon reads an older stream still.
        GapError, SourceError, DestinationError, PermissionDenied: as a start would say.
    """
    facts = check_source(task.source)
    destination, transform = check_destination(task, facts.keys, facts.table)
    ours = Identity(facts.table, facts.stream_arn, destination, digest_of(transform))
    claim = read_claim(task)
    refuse(task, claim, ours, Stream(clients.streams(task.source), ours.stream, clock, wait))
    refuse_unfinished(task, clock.now())
    refuse_live_unfinished(task, "switch over", clock.now())
    if claim and claim.stream != ours.stream:
        raise NotReady(
            f"The stream of {task.source} was turned off and on again, and the daemon reads the "
            f"older one, {claim.stream}, still.",
            f"kcl-processor status {task.name}, and again once it reads {ours.stream}",
        )
    return ours


def take_back(files: TaskFiles, mark: SwitchMark, freeze: MakeFreeze, now: float) -> None:
    """Leave everything as it was before a switchover; of one that is over, too.

    Raises:
        TakenOver: another command goes on with it.
        OperatorError, PermissionDenied: the table's policy cannot be changed.
    """
    token, state = secrets.token_hex(8), SwitchState.BACK
    back = replace(mark, token=token, state=state, beat_at=now)
    replace_switch(files.task, mark, back)
    if mark.sid:
        freeze(mark.sid, mark.source).lift(mark.policy)
    # Whoever was faster may have begun another one, which has a pause of its own.
    refuse_taken(files.task, back)
    _release(files.task, now)
    replace_switch(files.task, back, None)
    with suppress(OSError):
        files.certificate.unlink(missing_ok=True)


def withdraw(task: Task, mark: SwitchMark, freeze: MakeFreeze, at: float) -> None:
    """Take back what a command did that did not know yet that its switchover is another's.

    Raises:
        OperatorError, PermissionDenied: it cannot be.
    """
    now = read_switch(task)
    # A statement is noted before it is put: who has another one, or none, knows nothing of this.
    if mark.sid and (now is None or now.sid != mark.sid or now.state is SwitchState.BACK):
        freeze(mark.sid, mark.source).lift(mark.policy)
    _release(task, at)


def hold(task: Task, clock: Clock, wait: Wait, say: Callable[[str], None]) -> None:
    """Let nothing more of a task that is switched over out to the destination, if that is not so.

    Time to live goes on to delete at the source, and would delete there what the writers write by
    then.

    Raises:
        TakenOver: it was taken back meanwhile.
        OperatorError, PermissionDenied: it cannot be.
    """
    now = clock.now()
    before = _whole(task)
    if before is None:
        _pause(task, now)
        _release(task, now)
        mark = read_switch(task)
        if mark is None or mark.state is not SwitchState.OVER:
            raise taken_over(task)
    # Of one that was made just now by a command that was killed nobody has waited for the end.
    if before is None or abs(now - before.at) < _LINES:
        say(_PAUSED)
        wait(IN_FORCE)


def _whole(task: Task) -> Pause | None:
    """The pause of all of a task, if there is one."""
    return next((one for one in read_pauses(task) if one.shard is None), None)


def _pause(task: Task, now: float) -> None:
    pause(task, Pause(None, f"{_BY} of {whoever()}", float(int(now))))
    _note(task, now, "paused")


def _is_ours(one: Pause) -> bool:
    """Whether a switchover made a pause."""
    return one.shard is None and one.by.startswith(_BY)


def _release(task: Task, now: float) -> None:
    """End a switchover's pause, unless one stands, or is under way, which may have made it."""
    one = _whole(task)
    mark = read_switch(task)
    if one and _is_ours(one) and (mark is None or mark.state is SwitchState.BACK):
        _resume(task, now)


def _go_on(task: Task, now: float) -> None:
    """End a switchover's pause; whoever made it can certify nothing any more."""
    one = _whole(task)
    if one and _is_ours(one):
        _resume(task, now)


def _resume(task: Task, now: float) -> None:
    resume(task, ALL)
    _note(task, now, "resumed")


def _note(task: Task, now: float, what: str) -> None:
    """Keep it for ``events``; that it cannot be kept changes nothing."""
    with suppress(OperatorError):
        note(task, now, what, None, "by `switchover`")


def forgotten(task: Task, clock: Clock, wait: Wait) -> list[Freeze]:
    """The statements in the source's policy of this task's switchovers that nobody knows of.

    One is left by a command that was held up between noting and putting it, and then killed. Where
    the policy may not be read, or the service has none, nothing is found.

    Raises:
        OperatorError: the service cannot be reached, or the mark cannot be read.
    """
    client, on = clients.tables(task.source), f"table {task.source}"
    with suppress(SourceError, PermissionDenied):
        arn = describe(task.source, SourceError, "check the source")["TableArn"]
        found = Freeze(client, arn, on, "", clock, wait).sids_of(task)
        # Each is noted before it is put, so the mark is read behind the policy.
        mark = read_switch(task) if found else None
        known = mark.sid if mark else ""
        return [Freeze(client, arn, on, sid, clock, wait) for sid in sorted(found - {known})]
    return []


def thaw(task: Task, mark: SwitchMark, freeze: MakeFreeze) -> None:
    """Allow writes at the source again; the certificate stands.

    Raises:
        TakenOver: another command changed it meanwhile.
        OperatorError, PermissionDenied: the table's policy cannot be changed.
    """
    freeze(mark.sid, mark.source).lift(mark.policy)
    replace_switch(task, mark, replace(mark, sid="", source="", policy=None))


def keep(files: TaskFiles, certificate: Certificate) -> None:
    """Keep a certificate in this host's state directory, too.

    Raises:
        OSError: it cannot be written there.
    """
    replace_file(files.certificate, certificate.text().encode() + b"\n")


def written_since(certificate: Certificate, watch: WriterWatch, wait: Wait) -> int | None:
    """Changes that writers made at the source since; ``None`` where nobody can tell any more.

    Args:
        watch: over the certificate's stream; it has not begun.

    Raises:
        PermissionDenied, OperatorError: the stream cannot be read.
    """
    try:
        watch.begin_behind(certificate.shards)
        for _ in range(_MOST_READINGS):
            watch.look()
            if watch.is_read:
                return watch.written
            wait(_POLL)
    except (GapError, SourceError):
        pass
    # What was found is true, whatever else there is.
    return watch.written or None


def _progress(watch: WriterWatch, behind: list[str], still: float) -> str:
    if not watch.quiet:
        return (
            f"not quiet yet: {many(watch.written, 'change')}, the last one read {still:.0f} s ago"
        )
    left = many(len(behind), "shard is", "shards are")
    return f"quiet, and {left} not applied to the end: {behind[0]}"
