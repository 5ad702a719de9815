"""What a switchover leaves beside a task's checkpoints, for every host to see: how far it is.

It is there before the first change is made, so that whoever types the command again after a kill
knows what was changed, and takes it back or goes on. One whose row was taken over by another makes
no further change. Whoever is at it writes down every minute that he is.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from kcl_processor.clock import Clock, Spaced, utc
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet.own_rows import Row, read_own, replace_own, touch_own

KEY = "KclProcessorSwitchover"
_EMPTY = {"S": ""}
_BEAT = "beatAt"
# Seconds between two looks of who lays the source's items.
_LOOKS = 5.0
# Between two signs of life of a command that is at a switchover, and after which it has none: the
# longest that it says nothing for is one change of a policy; a laptop may be shut for some minutes.
BEAT = 30.0
SILENT = 900.0


class SwitchState(StrEnum):
    """How far a switchover is.

    ``BEGUN``: writers were told to stop, or are being denied. ``BACK``: what it changed is being
    taken back. ``OVER``: its certificate stands, and the task was paused before.
    """

    BEGUN = "begun"
    BACK = "back"
    OVER = "over"


@dataclass(frozen=True)
class SwitchMark:
    """A switchover of a task.

    Attributes:
        token: tells the command that is at it from the others.
        host: where that is.
        started_at: whole seconds since the epoch.
        sid: of the statement that denies writes; empty if nothing does.
        source: the ARN of the table whose policy has it.
        policy: the policy that was there before; ``None`` for none.
        certificate: as JSON; empty before its end.
        beat_at: when the command that is at it gave its last sign of life.
    """

    token: str
    state: SwitchState
    host: str
    started_at: float
    sid: str = ""
    source: str = ""
    policy: str | None = None
    certificate: str = ""
    beat_at: float = field(default=0.0, compare=False)

    @classmethod
    def begun(cls, token: str, now: float) -> SwitchMark:
        """That of a switchover that begins on this host."""
        return cls(token, SwitchState.BEGUN, platform.node(), float(int(now)), beat_at=now)

    def taken_over(self, token: str) -> SwitchMark:
        """That of one which goes on here where another command left it.

        One that is being taken back does not go on: it is taken back to its end.
        """
        assert self.state is SwitchState.BEGUN
        return replace(self, token=token, host=platform.node())

    def __str__(self) -> str:
        return f"begun on {self.host} at {utc(self.started_at)}"

    def is_silent(self, now: float) -> bool:
        """Whether it is not at its end, and nobody seems to be at it any more."""
        return self.state is not SwitchState.OVER and now - self.beat_at > SILENT

    def in_words(self, name: str, now: float) -> Iterator[str]:
        """What it means for the task of that name, and what to type."""
        denied = f"; writes to the source are denied by statement {self.sid} of its policy"
        denied = denied if self.sid else ""
        if self.state is SwitchState.OVER:
            yield f"switched over ({self}): its writers write to the destination{denied}"
            return
        going = "being taken back" if self.state is SwitchState.BACK else "open"
        yield f"a switchover, {self}, is {going}{denied}"
        if self.is_silent(now):
            yield (
                f"the switchover's command gives no sign of life since {utc(self.beat_at)}. Try: "
                f"kcl-processor switchover {name}, which goes on with it, or takes it back with "
                "--back"
            )


class TakenOver(OperatorError):
    """Another command goes on with the switchover; this one changes nothing any more."""


def read_switch(task: Task) -> SwitchMark | None:
    """The mark of a task's switchover, unless it was taken back.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    return switch_of(read_own(task, KEY))


def switch_of(row: Row | None) -> SwitchMark | None:
    """The mark in a row, if there is one."""
    if row is None:
        return None
    started_at = float(row["startedAt"]["N"])
    return SwitchMark(
        row["token"]["S"],
        SwitchState(row["state"]["S"]),
        row["host"]["S"],
        started_at,
        row.get("sid", _EMPTY)["S"],
        row.get("source", _EMPTY)["S"],
        row["policy"]["S"] if "policy" in row else None,
        row.get("certificate", _EMPTY)["S"],
        float(row[_BEAT]["N"]) if _BEAT in row else started_at,
    )


def replace_switch(task: Task, before: SwitchMark | None, after: SwitchMark | None) -> None:
    """Replace the mark that was read by another, or by none.

    Raises:
        TakenOver: it is no longer that one.
        OperatorError, PermissionDenied: it cannot be written.
    """
    beat = {_BEAT: {"N": repr(after.beat_at)}} if after else {}
    rows = (_row(before) if before else None, _row(after) | beat if after else None)
    if not replace_own(task, KEY, *rows):
        raise taken_over(task)


def beat_switch(task: Task, mark: SwitchMark, now: float) -> None:
    """Give a sign of life; the mark stays what it is.

    Raises:
        TakenOver: it is no longer that one.
        OperatorError, PermissionDenied: it cannot be written.
    """
    if not touch_own(task, KEY, {"token": {"S": mark.token}}, _BEAT, {"N": repr(now)}):
        raise taken_over(task)


def refuse_taken(task: Task, mark: SwitchMark) -> None:
    """Make sure that a switchover is as this command wrote it, after what it did because of that.

    Raises:
        TakenOver: it is no longer.
        OperatorError, PermissionDenied: it cannot be read.
    """
    if read_switch(task) != mark:
        raise taken_over(task)


def taken_over(task: Task) -> TakenOver:
    """The error of a command whose switchover is another's by now."""
    return TakenOver(
        f"Another command went on with the switchover of task {task.name}.",
        f"see to that one, or kcl-processor switchover {task.name}, once it has ended",
    )


def refuse_switched(task: Task) -> SwitchMark | None:
    """Refuse to start a task whose writers have moved to its destination, or to lay the source's
    items there in another way.

    What time to live deletes at the source, and what somebody writes there, would be laid over
    their changes.

    Returns:
        the mark of a switchover that is not over, if there is one.

    Raises:
        ConfigError: a certificate stands.
        OperatorError, PermissionDenied: it cannot be told.
    """
    mark = read_switch(task)
    if mark and mark.state is SwitchState.OVER:
        raise ConfigError(
            f"Task {task.name} was switched over ({mark}): its writers write to "
            f"{task.destination} now, and what comes from {task.source} would be laid over it.",
            f"kcl-processor switchover {task.name} --back, if they are back at {task.source}",
        )
    return mark


class SwitchLook(Spaced):
    """Looks, for whoever lays the source's items for long, whether the writers have moved.

    To be called before each write, and raises as :func:`refuse_switched` does.
    """

    def __init__(self, task: Task, clock: Clock) -> None:
        super().__init__(partial(refuse_switched, task), _LOOKS, clock)


def refuse_denied(task: Task) -> None:
    """Refuse to forget a switchover that denies writes: nobody would know the statement any more.

    Raises:
        ConfigError: it does.
    """
    mark = read_switch(task)
    if mark and mark.sid:
        raise ConfigError(
            f"A switchover of task {task.name}, {mark}, denies writes to {task.source} by "
            f"statement {mark.sid} of its policy.",
            f"kcl-processor switchover {task.name} --thaw; or --back, if it has no certificate",
        )


def _row(mark: SwitchMark) -> Row:
    row: Row = {
        "token": {"S": mark.token},
        "state": {"S": str(mark.state)},
        "host": {"S": mark.host},
        "startedAt": {"N": str(int(mark.started_at))},
    }
    for name in ("sid", "source", "certificate"):
        if text := getattr(mark, name):
            row[name] = {"S": text}
    if mark.policy is not None:
        row["policy"] = {"S": mark.policy}
    return row
