"""What an operator has paused: one row, which every worker of the task looks at (``Pauses.java``).

An attribute a pause: a shard's name, or ``*`` for all shards, to who paused it and when.
"""

from __future__ import annotations

import getpass
import platform
from dataclasses import dataclass

from kcl_processor.clock import utc
from kcl_processor.config.task import Task
from kcl_processor.fleet.leases import KclRows, number, text
from kcl_processor.fleet.own_rows import Row, enter_own, own_among, read_own, strike_own

KEY = "KclProcessorPause"
ALL = "*"
# Seconds between two looks of a worker (``Pauses.java``).
LOOKS = 2.0
# And until all have looked, and what they had begun is written, if the destination takes it.
IN_FORCE = 5


@dataclass(frozen=True)
class Pause:
    """A pause of one shard, or of the task. ``at`` is seconds since the epoch.

    Attributes:
        shard: ``None`` for all of them.
        by: the user and the host that typed it.
    """

    shard: str | None
    by: str
    at: float

    def __str__(self) -> str:
        return f"paused {by_whom(self.by, self.at)}"


def by_whom(by: str, at: float) -> str:
    """Who typed something, and since when it holds."""
    try:
        moment = utc(at)
    except (ValueError, OverflowError):
        # Milliseconds, in a row that was written by hand.
        moment = f"{at:.0f}"
    return f"by {by} since {moment}"


def whoever() -> str:
    """Who types: the user and the host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user may have a number and no name.
        user = "?"
    return f"{user}@{platform.node()}"


def pauses_of(rows: KclRows) -> list[Pause]:
    """The pauses among a task's rows, that of all shards first."""
    return _read(own_among(rows.coordinator, KEY) or {})


def read_pauses(task: Task) -> list[Pause]:
    """The pauses of a task, that of all shards first.

    Raises:
        OperatorError, PermissionDenied: they cannot be read.
    """
    return _read(read_own(task, KEY) or {})


def pause(task: Task, added: Pause) -> None:
    """Pause a shard or the task. A pause that is there already stays, with who made it.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    made = {"M": {"by": {"S": added.by}, "at": {"N": repr(added.at)}}}
    enter_own(task, KEY, added.shard or ALL, made)


def resume(task: Task, shard: str | None) -> None:
    """End the pause of a shard, or every pause of the task that is there.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    row = read_own(task, KEY) or {}
    for name in [shard] if shard else row:
        if name in row:
            strike_own(task, KEY, name)


def _read(row: Row) -> list[Pause]:
    # One that was written by hand counts, too (``Pauses.java``).
    made = ((name, one.get("M", {})) for name, one in row.items())
    found = [
        Pause(None if name == ALL else name, text(one, "by") or "?", float(number(one, "at")))
        for name, one in made
    ]
    return sorted(found, key=lambda pause: pause.shard or "")
