"""The last events of a task: rows beside KCL's state, which every worker writes (``Events.java``).

An attribute an event, named after its moment; each row keeps about a hundred. What commands change
on a running task stands in a row of their own, and so does which workers died.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kcl_processor.config.task import Task
from kcl_processor.fleet.leases import KclRows, text
from kcl_processor.fleet.own_rows import Row, by_key, enter_own, read_all_own, read_own, strike_own
from kcl_processor.fleet.pause import whoever

KEY = "KclProcessorEvents/"
# The row of what people did by commands; workers' are numbered.
_PEOPLE = f"{KEY}people"
# And of workers that told nothing.
_HOSTS = f"{KEY}hosts"
KEPT = 100
# Of a moment in an event's name, in milliseconds (``Events.java``): until the year 2286.
_DIGITS = 13


@dataclass(frozen=True)
class Event:
    """Something that happened to a task.

    Attributes:
        at: seconds since the epoch, by the clock of whoever tells it.
        teller: the worker, or the user and the host.
        what: ``started``, ``stopping``, ``stopped``, ``moved``, ``ended`` (a shard was read to its
            end), ``unread``, ``gap``, ``refused``, ``failed``, ``died``, ``paused``, ``resumed``,
            ``limited``, ``unlimited``, ``throttled`` or ``unthrottled`` (by ``throttle_when``), or
            ``restarted`` (what a worker keeps beside it).
        shard: of which it is told; ``None`` where it is of the worker or of the task.
        origin, to: of a shard that moved, the workers; ``None`` is nobody.
    """

    at: float
    teller: str
    what: str
    shard: str | None = None
    origin: str | None = None
    to: str | None = None
    why: str | None = None


def events_of(rows: KclRows) -> list[Event]:
    """Those that are kept among a task's rows, the oldest first."""
    return _read(by_key(rows.coordinator))


def read_events(task: Task) -> list[Event]:
    """Those that are kept, the oldest first.

    Raises:
        OperatorError, PermissionDenied: they cannot be read.
    """
    return _read(read_all_own(task))


def _read(rows: Mapping[str, Row]) -> list[Event]:
    found = [
        event
        for key, row in rows.items()
        if key.startswith(KEY)
        for name, value in row.items()
        if (event := _event(name, value.get("M", {})))
    ]
    return sorted(found, key=lambda event: event.at)


def note(
    task: Task, at: float, what: str, shard: str | None, why: str, worker: str | None = None
) -> None:
    """Keep what somebody has just done by a command, or what a host knows of a worker that died.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    row = _HOSTS if worker else _PEOPLE
    name = f"{round(at * 1000):0{_DIGITS}d}-{secrets.token_hex(4)}"
    told = {"worker": worker or whoever(), "what": what, "shard": shard, "why": why}
    made = {"M": {key: {"S": value} for key, value in told.items() if value}}
    enter_own(task, row, name, made)
    for old in sorted(read_own(task, row) or {})[:-KEPT]:
        strike_own(task, row, old)


def _event(name: str, row: Mapping[str, Mapping[str, Any]]) -> Event | None:
    """``None`` for what another version may have written there."""
    moment, what = name.partition("-")[0], text(row, "what")
    if not moment.isdecimal() or len(moment) != _DIGITS or not what:
        return None
    teller = text(row, "worker") or "?"
    ends = [text(row, end) for end in ("shard", "from", "to", "why")]
    return Event(int(moment) / 1000, teller, what, *ends)
