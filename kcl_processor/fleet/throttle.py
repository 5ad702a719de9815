"""Which workers of a task are throttled: each says so in its own row (``Presence.java``)."""

from __future__ import annotations

from dataclasses import dataclass

from kcl_processor.fleet.coordinator import presences
from kcl_processor.fleet.leases import KclRows, number, text

# Of a worker's row, for as long as it lets nothing out.
THROTTLED = "throttled"


@dataclass(frozen=True)
class Throttled:
    """A worker that lets nothing out, by ``throttle_when``.

    Attributes:
        by: the alarm, or that it is the command.
        at: seconds since the epoch, by the worker's clock.
    """

    worker: str
    by: str
    at: float


def throttled_of(rows: KclRows) -> list[Throttled]:
    """What workers said last in a task's rows; one that died says it still."""
    said = ((worker, row.get(THROTTLED, {}).get("M")) for worker, row in presences(rows))
    return [
        Throttled(worker, text(one, "by") or "?", float(number(one, "at")))
        for worker, one in said
        if one
    ]
