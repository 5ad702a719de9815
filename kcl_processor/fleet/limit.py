"""What an operator has limited: one row, which every worker of the task looks at (``Limits.java``).

Beside the limit, each worker has an attribute with its share of it and what it needs. A row is
written whole by whoever read it, on the condition that its version is the same still.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from kcl_processor.config.task import Task
from kcl_processor.fleet.leases import KclRows, number, text
from kcl_processor.fleet.own_rows import Row, drop_own, enter_over, own_among, read_own
from kcl_processor.fleet.pause import by_whom

KEY = "KclProcessorLimit"
# Seconds between two looks of a worker, and until all have looked (``Limits.java``).
LOOKS = 2.0
IN_FORCE = 5
_LIMIT, _SHARE, _WAITING = "limit", "share/", "waiting"


@dataclass(frozen=True)
class Limit:
    """What all workers of a task together may write to the destination.

    Attributes:
        wcu: write capacity units a second.
        by: the user and the host that typed it; ``at`` is seconds since the epoch.
        waiting: how many shards wait for it, as the workers said last.
    """

    wcu: float
    by: str
    at: float
    waiting: int = 0

    def __str__(self) -> str:
        waits = "1 shard waits" if self.waiting == 1 else f"{self.waiting} shards wait"
        rest = f"; {waits} for it" if self.waiting else ""
        return f"limited to {self.wcu:g} WCU/s {by_whom(self.by, self.at)}{rest}"


def limit_of(rows: KclRows) -> Limit | None:
    """The limit among a task's rows, if there is one."""
    return _read(own_among(rows.coordinator, KEY) or {})


def read_limit(task: Task) -> Limit | None:
    """The limit of a task, if there is one.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    return _read(read_own(task, KEY) or {})


def limit(task: Task, to: Limit) -> None:
    """Limit a task, or replace its limit; the workers' shares stay.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    made = {"M": {"wcu": {"N": repr(to.wcu)}, "by": {"S": to.by}, "at": {"N": repr(to.at)}}}
    enter_over(task, KEY, {_LIMIT: made, "version": {"S": str(uuid.uuid4())}})


def unlimit(task: Task) -> None:
    """End the limit of a task, with all shares of it.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    drop_own(task, KEY)


def _read(row: Row) -> Limit | None:
    if _LIMIT not in row:
        return None
    made = row[_LIMIT].get("M", {})
    shares = (share.get("M", {}) for name, share in row.items() if name.startswith(_SHARE))
    return Limit(
        wcu=float(made.get("wcu", {}).get("N", 0)),
        by=text(made, "by") or "?",
        at=float(number(made, "at")),
        waiting=sum(number(share, _WAITING) for share in shares),
    )
