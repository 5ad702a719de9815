"""What a copy leaves beside a task's checkpoints, for every host to see: whether it is whole.

A daemon that starts over a copy that was cut off leaves a hole for good, and one that runs beside a
copy may get older items over its newer ones. So a copy puts its mark down before it writes, and
``run`` and ``start`` refuse until it says that the copy is done.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from kcl_processor.clock import Clock, utc
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.fleet.running import looks
from kcl_processor.fleet.stream import HOUR, RETENTION

KEY = "KclProcessorCopy"
# A daemon that starts now needs some time until it has read the oldest change.
_STALE = RETENTION - HOUR
# Seconds between two signs of life of a copy at work, in its mark or in its part's row; a look at
# the fleet may take some more. And after which one that gave none is dead.
BEAT = 5.0
DEAD = 25.0
_ONE, _NONE, _EMPTY, _TRUE = {"N": "1"}, {"N": "0"}, {"S": ""}, {"BOOL": True}


class CopyState(StrEnum):
    """How far a copy is. ``DISTURBED``: older items may lie over newer ones."""

    BEGUN = "begun"
    DONE = "done"
    DISTURBED = "disturbed"


class _Mark(Protocol):
    """A plain copy's, or that of one beside the daemon."""

    @property
    def state(self) -> CopyState: ...

    @property
    def host(self) -> str: ...


@dataclass(frozen=True)
class CopyMark:
    """A copy of a task, from its first start to the daemon's.

    Attributes:
        token: tells this copy from the task's others; its progress holds it, too.
        host: where it was at work last.
        started_at, beat_at: its begin and its last sign of life, seconds since the epoch.
        forced: it may outlast what the stream keeps, for nobody writes to the source.
        parts: how many parts it is made in, each by whoever takes it.
        segments: how many all parts together scan; 0 of a copy in no parts, whose progress knows.
        to_empty: of a copy in parts, whether the destination was empty as it began.
        alone: whether nothing can be on its way any more of a copy whose place it took.
        rules: the digest of those that its items are laid by; empty for none.
        export: the ARN of the export that is copied; empty where the table itself is.
    """

    token: str
    state: CopyState
    host: str
    started_at: float
    beat_at: float
    forced: bool = False
    parts: int = 1
    segments: int = 0
    rules: str = ""
    to_empty: bool = True
    alone: bool = True
    export: str = ""

    @property
    def in_parts(self) -> bool:
        """Whether it is made in parts, be it in one: any host goes on with those."""
        return self.segments > 0

    @classmethod
    def begun(
        cls,
        token: str,
        started_at: float,
        now: float,
        *,
        forced: bool,
        parts: int = 1,
        segments: int = 0,
        rules: str = "",
        to_empty: bool = True,
        alone: bool = True,
        export: str = "",
    ) -> CopyMark:
        """The mark of a copy that is at work on this host."""
        host = platform.node()
        begun = CopyState.BEGUN
        return cls(
            token,
            begun,
            host,
            started_at,
            now,
            forced,
            parts,
            segments,
            rules,
            to_empty,
            alone,
            export,
        )

    def now(self, state: CopyState, beat_at: float) -> CopyMark:
        """The mark as it is to be from now on."""
        return replace(self, state=state, beat_at=beat_at)


def read_mark(task: Task) -> CopyMark | None:
    """The mark of a task's last copy, unless the daemon has long been started over it.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    row = read_own(task, KEY)
    if row is None:
        return None
    return CopyMark(
        row["token"]["S"],
        CopyState(row["state"]["S"]),
        row["host"]["S"],
        float(row["startedAt"]["N"]),
        float(row["beatAt"]["N"]),
        row["forced"]["BOOL"],
        int(row.get("parts", _ONE)["N"]),
        int(row.get("segments", _NONE)["N"]),
        row.get("rules", _EMPTY)["S"],
        row.get("toEmpty", _TRUE)["BOOL"],
        row.get("alone", _TRUE)["BOOL"],
        row.get("export", _EMPTY)["S"],
    )


def replace_mark(task: Task, before: CopyMark | None, after: CopyMark | None) -> bool:
    """Replace the mark that was read by another, or by none; whether it was still that one.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    return replace_own(task, KEY, _row(before) if before else None, _row(after) if after else None)


def settle_mark(task: Task, now: float, *, started: bool, adopt: bool) -> CopyMark | None:
    """Refuse a start over a copy that is not whole; a mark that has done its work goes.

    Args:
        started: whether the daemon was ever started since: there are leases.
        adopt: give up a copy that is not whole.

    Returns:
        The mark that stays.

    Raises:
        ConfigError, GapError: as :func:`refuse_uncopied`.
    """
    while mark := read_mark(task):
        if not adopt:
            refuse_uncopied(task, mark, now, started=started)
            if not started:
                return mark
        # The fleet may start at once; whoever was faster has taken it away.
        if replace_mark(task, mark, None):
            break
    return None


def retire_mark(task: Task) -> None:
    """Forget a copy that is done, where leases no longer tell that the daemon followed it.

    Raises:
        OperatorError, PermissionDenied: the mark cannot be read or written.
    """
    mark = read_mark(task)
    if mark and mark.state is CopyState.DONE:
        replace_mark(task, mark, None)


def refuse_uncopied(task: Task, mark: CopyMark | None, now: float, *, started: bool) -> None:
    """Refuse a destination that a copy has left with a hole, or with older items over newer ones.

    Args:
        started: whether the daemon was ever started since.

    Raises:
        ConfigError: the copy is unfinished, or was disturbed.
        GapError: it is done, and what changed since its begin is leaving the stream.
    """
    if mark is None:
        return
    if mark.state is CopyState.DISTURBED:
        raise disturbed(task, "the daemon ran beside it")
    if mark.state is CopyState.BEGUN:
        begun = utc(mark.started_at, "minutes")
        raise ConfigError(
            f"The copy of task {task.name}, begun on {mark.host} at {begun}, is "
            f"not finished: what it has not copied would be missing. Its last sign of life was "
            f"{max(0.0, now - mark.beat_at):.0f} s ago.",
            _goes_on(task, mark),
        )
    if not started and not mark.forced:
        refuse_unfollowed(task, mark.started_at, now)


def refuse_unfinished(task: Task, now: float) -> None:
    """Keep off rows of KCL's that an unfinished copy was begun over: it takes what moves there for
    the daemon, and ends as disturbed; and it sets leases aside when it is done.

    Raises:
        ConfigError: there is one, at work or cut off.
    """
    mark = read_mark(task)
    if mark and mark.state is CopyState.BEGUN:
        refuse_uncopied(task, mark, now, started=True)


def refuse_copying(task: Task, clock: Clock, wait: Callable[[float], None]) -> None:
    """Watch an unfinished copy for as long as one at work may be silent, whatever its host's clock.

    Raises:
        ConfigError: it is at work.
    """
    refuse_moving(lambda: read_mark(task), f"A copy of task {task.name}", clock, wait)


def refuse_moving(
    read: Callable[[], _Mark | None], what: str, clock: Clock, wait: Callable[[float], None]
) -> None:
    """Watch the mark of an unfinished copy for as long as one at work may be silent.

    Args:
        what: the copy, as a sentence begins.

    Raises:
        ConfigError: it is at work.
    """
    mark = read()
    if mark is None or mark.state is not CopyState.BEGUN:
        return
    for _ in looks(DEAD, clock, wait):
        later = read()
        if later and later != mark:
            raise ConfigError(
                f"{what} is at work on {later.host}: its mark moved while watched.",
                "stop it first, then try again",
            )


def follow_until(started_at: float) -> float:
    """Until when a daemon may first be started over a copy, seconds since the epoch."""
    return started_at + _STALE


def refuse_stale(task: Task, started_at: float, now: float) -> None:
    """Refuse to go on with a copy whose first changes are about to leave the stream.

    Raises:
        GapError: it began more than 23 hours ago.
    """
    _refuse_late(
        task, started_at, now, f"{anew(task)}; kcl-processor copy --plan shows how long it takes"
    )


def refuse_unfollowed(task: Task, started_at: float, now: float) -> None:
    """Refuse to let a daemon follow a whole copy whose first changes are about to leave the stream.

    Raises:
        GapError: it began more than 23 hours ago.
    """
    # A live copy would leave what is there as it is, also where that is older than the stream.
    mend = f"kcl-processor verify --repair --delete-extra {task.name}"
    hint = f"kcl-processor run --adopt {task.name}, and beside it {mend}; or {anew(task)}"
    _refuse_late(task, started_at, now, hint)


def _refuse_late(task: Task, started_at: float, now: float, hint: str) -> None:
    if now >= follow_until(started_at):
        raise GapError(
            f"The copy of task {task.name} began {(now - started_at) / HOUR:.1f} h ago, and the "
            f"stream keeps {RETENTION / HOUR:.0f} h: changes made since its beginning are no "
            "longer there to be replayed.",
            hint,
        )


def disturbed(task: Task, how: str) -> ConfigError:
    """The error for a copy that cannot be gone on with."""
    return ConfigError(
        f"The copy of task {task.name} was disturbed: {how}. Older items may lie over newer ones, "
        "and deleted ones be back.",
        f"stop the daemon on every host, then {anew(task)}",
    )


def given_up(task: Task) -> ConfigError:
    """The error for a copy whose mark has gone while it was at work."""
    error = disturbed(
        task,
        "`run --adopt` gave it up while it was at work, or a daemon has followed one in its place",
    )
    return ConfigError(error.message, followed(task))


def followed(task: Task) -> str:
    """What mends a destination whose last copy is not this one, and that a daemon has followed."""
    mend = f"kcl-processor verify {task.name} --repair --delete-extra, beside the daemon"
    return f"{mend}; or stop the daemon on every host, then {anew(task)}"


def displaced(task: Task, mark: CopyMark) -> ConfigError:
    """The error for a copy in whose place another was begun, which has waited for its end."""
    if mark.state is CopyState.DISTURBED:
        return disturbed(task, "the daemon ran beside it")
    is_whole = mark.state is CopyState.DONE
    follow = f"kcl-processor run {task.name} follows that one; {anew(task)} begins anew"
    return ConfigError(
        f"Another copy of task {task.name} was begun on {mark.host} since, in the place of this "
        f"one{', and is whole' if is_whole else ''}.",
        follow if is_whole else _goes_on(task, mark),
    )


def anew(task: Task) -> str:
    """What begins a copy anew, over whatever an earlier one has left at the destination."""
    return f"kcl-processor copy --restart --no-to-empty-only {task.name}"


def _goes_on(task: Task, mark: CopyMark) -> str:
    otherwise = f"{anew(task)} begins anew"
    command = f"kcl-processor copy {task.name}"
    if mark.export:
        command = f"{command} --from-export with the place of {mark.export}, or --managed,"
    if mark.in_parts:
        each = f"{command} --part 0/{mark.parts} and so on, each on any host,"
        return f"{each} go on with it; {otherwise}"
    return f"{command}, on {mark.host}, goes on with it; elsewhere {otherwise}"


def _row(mark: CopyMark) -> Row:
    # A whole copy has the mark that earlier versions wrote.
    in_parts: Row = {
        "parts": {"N": str(mark.parts)},
        "segments": {"N": str(mark.segments)},
    }
    return {
        "token": {"S": mark.token},
        "state": {"S": str(mark.state)},
        "host": {"S": mark.host},
        "startedAt": {"N": repr(mark.started_at)},
        "beatAt": {"N": repr(mark.beat_at)},
        "forced": {"BOOL": mark.forced},
        **(in_parts if mark.in_parts else {}),
        **({"rules": {"S": mark.rules}} if mark.rules else {}),
        **({} if mark.to_empty else {"toEmpty": {"BOOL": False}}),
        **({} if mark.alone else {"alone": {"BOOL": False}}),
        **({"export": {"S": mark.export}} if mark.export else {}),
    }
