"""What a copy that runs beside the daemon leaves beside the checkpoints: whether it is whole.

A row of its own: the daemon may start and stop as it likes, and is not kept off by it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kcl_processor.clock import Clock, utc
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.launch.copy_mark import DEAD, CopyState, read_mark, refuse_moving

KEY = "KclProcessorLiveCopy"


@dataclass(frozen=True)
class LiveMark:
    """A task's last copy beside the daemon.

    Attributes:
        token: tells it from the task's others; the progress of its parts holds it, too.
        state: ``BEGUN`` or ``DONE``.
        host: where a part of it was at work last.
        started_at, beat_at: its begin and its last sign of life, seconds since the epoch.
        parts, segments: how many of each it is made in.
        rules: the digest of those that its items are laid by; empty for none.
        to_empty: the destination was empty as it began.
        over: another one was unfinished then, and was given up for it.
    """

    token: str
    state: CopyState
    host: str
    started_at: float
    beat_at: float
    parts: int
    segments: int
    rules: str
    to_empty: bool
    over: bool = False

    @classmethod
    def begun(
        cls,
        token: str,
        now: float,
        parts: int,
        segments: int,
        rules: str,
        *,
        to_empty: bool,
        over: bool = False,
    ) -> LiveMark:
        """The mark of a copy that begins now on this host."""
        begun, host = CopyState.BEGUN, platform.node()
        return cls(token, begun, host, now, now, parts, segments, rules, to_empty, over)

    def now(self, state: CopyState, beat_at: float) -> LiveMark:
        """The mark as it is to be from now on, seen from this host."""
        return replace(self, state=state, host=platform.node(), beat_at=beat_at)

    def is_at_work(self, now: float) -> bool:
        """Whether it gave a sign of life lately."""
        return now - self.beat_at < DEAD

    def in_words(self, task: str, now: float) -> str:
        """How a copy that is not whole is spoken of."""
        begun = utc(self.started_at, "minutes")
        return (
            f"a live copy of task {task}, begun {begun}, is not finished: its last sign of life, "
            f"from {self.host}, was {max(0.0, now - self.beat_at):.0f} s ago"
        )

    def again(self, task: str) -> str:
        """What goes on with it."""
        if self.parts > 1:
            each = f"kcl-processor copy --live {task} --part 0/{self.parts} and so on"
            return f"{each}, each on any host"
        return f"kcl-processor copy --live {task}, on any host"


def read_live_mark(task: Task) -> LiveMark | None:
    """The mark of a task's last copy beside the daemon, if there was one.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    row = read_own(task, KEY)
    return live_mark_of(row) if row else None


def live_mark_of(row: Mapping[str, Mapping[str, Any]]) -> LiveMark:
    """The mark that a row holds."""
    return LiveMark(
        row["token"]["S"],
        CopyState(row["state"]["S"]),
        row["host"]["S"],
        float(row["startedAt"]["N"]),
        float(row["beatAt"]["N"]),
        int(row["parts"]["N"]),
        int(row["segments"]["N"]),
        row["rules"]["S"],
        row["toEmpty"]["BOOL"],
        row["over"]["BOOL"],
    )


def replace_live_mark(task: Task, before: LiveMark | None, after: LiveMark | None) -> bool:
    """Replace the mark that was read by another, or by none; whether it was still that one.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    rows = [_row(mark) if mark else None for mark in (before, after)]
    return replace_own(task, KEY, *rows)


def forget_live_mark(task: Task) -> None:
    """Let nobody go on with a live copy, or wait for its end; one at work ends by itself.

    Raises:
        OperatorError, PermissionDenied: the mark cannot be read or removed.
    """
    while (mark := read_live_mark(task)) and not replace_live_mark(task, mark, None):
        pass


def refuse_live_unfinished(task: Task, what: str, now: float, instead: str = "") -> None:
    """Keep off what an unfinished live copy stands on.

    A plain copy that was begun over it, and cut off before it could forget it, has its place.

    Args:
        what: is to be done, as a clause that begins with a verb.
        instead: what gives that copy up.

    Raises:
        ConfigError: there is one, at work or cut off.
    """
    mark, over = read_live_mark(task), read_mark(task)
    taken = over is not None and over.state is not CopyState.DONE
    if mark and mark.state is CopyState.BEGUN and not taken:
        words = mark.in_words(task.name, now)
        raise ConfigError(
            f"{words[0].upper()}{words[1:]}, and to {what} would take from it what it stands on.",
            f"{mark.again(task.name)}, to its end; {instead or 'then try again'}",
        )


def refuse_live_copying(task: Task, clock: Clock, wait: Callable[[float], None]) -> None:
    """Watch an unfinished live copy for as long as one at work may be silent.

    Raises:
        ConfigError: it is at work.
    """
    refuse_moving(lambda: read_live_mark(task), f"A live copy of task {task.name}", clock, wait)


def _row(mark: LiveMark) -> Row:
    return {
        "token": {"S": mark.token},
        "state": {"S": str(mark.state)},
        "host": {"S": mark.host},
        "startedAt": {"N": repr(mark.started_at)},
        "beatAt": {"N": repr(mark.beat_at)},
        "parts": {"N": str(mark.parts)},
        "segments": {"N": str(mark.segments)},
        "rules": {"S": mark.rules},
        "toEmpty": {"BOOL": mark.to_empty},
        "over": {"BOOL": mark.over},
    }
