"""KCL's tables as KCL wrote them: leases, the leader's lock, the workers' heartbeats.

Attribute names and their meaning are KCL's (``DynamoDBLeaseSerializer``, ``WorkerMetricStats`` of
KCL 3.1.3; ``EntityType`` of KCL 3.5, which may keep all of it in one table). Rows of KCL 1.x, which
the original library wrote, lack some of them. Everything here only reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.kcl_tables import TableNames

SHARD_END = "SHARD_END"
TRIM_HORIZON = "TRIM_HORIZON"
LATEST = "LATEST"
# The launcher's own attribute (Begins.java): KCL leaves those alone that it does not know.
BEGIN = "beginSequenceNumber"
# When that was found to be the oldest change left, in milliseconds since the epoch.
BEGIN_FOUND = "beginFoundAt"

_Item = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Lease:
    """One row of the lease table.

    Attributes:
        key: the row's key; for a multi-stream lease ``account:stream:creation:shard``.
        checkpoint: a sequence number, ``TRIM_HORIZON``, ``LATEST`` or ``SHARD_END``.
        counter: grows with each renewal; one that stands still has no living owner.
        begin: where a shard begins that has no checkpoint yet, if that was written down.
        begin_found: when that was the oldest change left, in seconds since the epoch; ``None``
            where it is the shard's start.
    """

    key: str
    shard: str
    owner: str | None
    checkpoint: str
    counter: int
    switches: int
    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    begin: str | None = None
    begin_found: float | None = None

    @property
    def ended(self) -> bool:
        """Whether the shard was read to its end."""
        return self.checkpoint == SHARD_END


@dataclass(frozen=True)
class KclRows:
    """Everything KCL has written for a task, as raw items.

    Attributes:
        found: whether the lease table exists; KCL makes it on its first start.
        leases: rows of the lease table, without those of other entities.
    """

    found: bool
    leases: list[Lease]
    coordinator: list[_Item]
    workers: list[_Item]


def read_rows(client: Any, names: TableNames) -> KclRows:
    """Read a task's KCL tables with consistent pages.

    Raises:
        OperatorError: a table cannot be read.
        PermissionDenied: a call is denied.
    """
    rows = scan(client, names.leases)
    shared = rows or []
    return KclRows(
        found=rows is not None,
        leases=_leases(shared),
        coordinator=[*(scan(client, names.coordinator) or []), *_of_type(shared, "LEADER")],
        workers=[
            *(scan(client, names.workers) or []),
            *_of_type(shared, "WORKER_METRIC_STATS"),
        ],
    )


def scan(client: Any, table: str) -> list[dict[str, dict[str, Any]]] | None:
    """All items of a table, read consistently; ``None`` when there is no such table."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    hint = "check kcl.region and kcl.endpoint"
    with clients.calling("dynamodb:Scan", f"table {table}", OperatorError, hint):
        try:
            return [item for page in pages for item in page["Items"]]
        except client.exceptions.ResourceNotFoundException:
            return None


def lease_rows(client: Any, table: str) -> list[dict[str, dict[str, Any]]]:
    """The leases of a lease table as KCL wrote them; none when there is no such table.

    Raises:
        OperatorError, PermissionDenied: as :func:`read_rows`.
    """
    return [row for row in scan(client, table) or [] if is_lease(row)]


def read_leases(client: Any, names: TableNames) -> list[Lease]:
    """Read a task's leases alone, as :func:`read_rows` does; none where there is no table yet."""
    return _leases(lease_rows(client, names.leases))


def lease(item: _Item) -> Lease:
    """A lease row. What an older KCL did not write is ``None``, zero or empty."""
    key = text(item, "leaseKey") or ""
    return Lease(
        key=key,
        shard=shard_of(key),
        owner=text(item, "leaseOwner"),
        checkpoint=text(item, "checkpoint") or TRIM_HORIZON,
        counter=number(item, "leaseCounter"),
        switches=number(item, "ownerSwitchesSinceCheckpoint"),
        parents=_texts(item, "parentShardId"),
        children=_texts(item, "childShardIds"),
        begin=text(item, BEGIN),
        begin_found=number(item, BEGIN_FOUND) / 1000 or None,
    )


def is_lease(item: _Item) -> bool:
    """Whether a row of the lease table is a lease; KCL 3.5 may keep others beside them."""
    return text(item, "entityType") in (None, "LEASE")


def shard_of(key: str) -> str:
    """The shard id in a lease key, of a single stream or of many (``MultiStreamLease``)."""
    return key.rpartition(":")[2]


def text(item: _Item, name: str) -> str | None:
    """A string attribute, if the item has one that is not empty."""
    value = item.get(name, {}).get("S")
    return str(value) if value else None


def number(item: _Item, name: str) -> int:
    """A whole number attribute; zero when the item has none."""
    return int(Decimal(item.get(name, {}).get("N", 0)))


def _leases(items: Iterable[_Item]) -> list[Lease]:
    return sorted(map(lease, filter(is_lease, items)), key=lambda row: row.key)


def _texts(item: _Item, name: str) -> tuple[str, ...]:
    value = item.get(name, {})
    return tuple(sorted(value.get("SS") or ([value["S"]] if value.get("S") else [])))


def _of_type(items: Iterable[_Item], entity: str) -> list[_Item]:
    return [item for item in items if text(item, "entityType") == entity]
