"""Changing KCL's tables by hand: checkpoints set back, rows put back, a dead leader's lock removed.

Rows that change under a living fleet stop it or split it, so each of these first watches whether
anything a worker moves does move, and every write is made on the condition that the row is still
the one that was read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet import coordinator
from kcl_processor.fleet.kcl_tables import TableNames, table_names
from kcl_processor.fleet.lease_changes import Item, Step
from kcl_processor.fleet.leases import (
    BEGIN,
    BEGIN_FOUND,
    LATEST,
    TRIM_HORIZON,
    Lease,
    is_lease,
    lease,
    read_rows,
    scan,
    text,
)
from kcl_processor.fleet.running import watched
from kcl_processor.fleet.stream import StreamShard
from kcl_processor.operate.lineage import descendants, parents_of
from kcl_processor.words import many

# KCL's leader beats every 30 s (DynamoDBLockBasedLeaderDecider), this product's more often.
_LEADER_PATIENCE = 35.0


def plan_reset(
    items: Sequence[Item], listed: Sequence[StreamShard], shard: str | None, to: str
) -> list[Step]:
    """What a reset changes.

    A whole reset to the trim horizon deletes the rows: KCL then makes them anew, as on a first
    start, for every shard that the stream still holds. A single shard that is set back takes its
    descendants with it, or its old images would stay over their newer ones for good. Whatever it
    has lost is accepted by that; a descendant that was never read still has all to lose. What is
    there yet when the daemon starts is not accepted: its leader notes where such shards start
    (``Begins.noteUnread``). KCL removes the row of a shard that was read to its end; such a
    descendant gets one again.

    Args:
        listed: the stream's shards.
        shard: a shard's name or the end of it; ``None`` for all.
        to: ``TRIM_HORIZON``, ``LATEST`` or a sequence number.

    Raises:
        ConfigError: no row or several rows fit ``shard``.
    """
    rows = [(lease(item), item) for item in items if is_lease(item)]
    if shard is None and to == TRIM_HORIZON:
        return [Step(row.shard, item, None) for row, item in rows]
    if shard is None:
        return [Step(row.shard, item, _at(item, to)) for row, item in rows if not row.ended]
    chosen = named([row for row, _ in rows], shard)
    parents = parents_of([row for row, _ in rows], listed)
    below = set() if to == LATEST else descendants({chosen.shard}, parents)
    held = {row.shard for row, _ in rows}
    prefix = chosen.key.removesuffix(chosen.shard)
    return [
        *(
            Step(row.shard, item, _at(item, to) if row.shard == chosen.shard else _reread(item))
            for row, item in rows
            if row.shard == chosen.shard or row.shard in below
        ),
        *(
            Step(name, {}, _new_row(prefix + name, parents[name]))
            for name in sorted(below - held)
            if name in {one.id for one in listed}
        ),
    ]


def plan_restore(saved: Sequence[Item], present: Sequence[Item]) -> list[Step]:
    """What brings the lease rows back to those that were saved."""
    now = {str(text(item, "leaseKey")): item for item in present}
    then = {str(text(item, "leaseKey")): item for item in saved}
    return [
        Step(lease(item).shard, now.get(key, {}), then.get(key))
        for key, item in sorted({**now, **then}.items())
        if now.get(key) != then.get(key) and is_lease(item)
    ]


def unlock_leader(
    client: Any, task: Task, clock: Clock, wait: Callable[[float], None], *, execute: bool
) -> coordinator.Leader | None:
    """Remove the leader's lock if its owner is gone; the lock that was found, if any.

    Raises:
        OperatorError: the owner lives.
    """
    names = table_names(task)
    found = coordinator.leader(read_rows(client, names))
    if found is None:
        return None
    for rows in watched(task, min(found.lease_seconds, _LEADER_PATIENCE), clock, wait):
        owner = [worker for worker in coordinator.workers(rows) if worker.id == found.owner]
        if coordinator.leader(rows) != found or any(
            coordinator.fresh(worker, task, clock.now()) for worker in owner
        ):
            raise OperatorError(
                f"The leader {found.owner} of task {task.name} gives signs of life.",
                "leave the lock alone, or stop that worker first",
            )
    if execute:
        _delete_lock(client, names, found)
    return found


def _delete_lock(client: Any, names: TableNames, found: coordinator.Leader) -> None:
    shared = not scan(client, names.coordinator)
    table, key = (names.leases, "leaseKey") if shared else (names.coordinator, "key")
    with clients.calling("dynamodb:DeleteItem", f"table {table}", OperatorError, "try again"):
        client.delete_item(
            TableName=table,
            Key={key: {"S": "Leader"}},
            ConditionExpression="recordVersionNumber = :seen",
            ExpressionAttributeValues={":seen": {"S": found.version}},
        )


def _reread(item: Item) -> Item:
    """A row at the oldest change that is left; where it was never read, at its beginning."""
    unread = lease(item).checkpoint == TRIM_HORIZON and BEGIN in item
    begin = {name: item[name] for name in (BEGIN, BEGIN_FOUND) if name in item}
    return {**_at(item, TRIM_HORIZON), **(begin if unread else {})}


def _at(item: Item, checkpoint: str) -> Item:
    """A row without an owner at a checkpoint; its counter grows, so no old owner can renew it."""
    dropped = ("leaseOwner", "checkpointOwner", BEGIN, BEGIN_FOUND)
    kept = {
        name: value
        for name, value in item.items()
        if name not in dropped and not name.startswith("pendingCheckpoint")
    }
    return {
        **kept,
        "checkpoint": {"S": checkpoint},
        "checkpointSubSequenceNumber": {"N": "0"},
        "ownerSwitchesSinceCheckpoint": {"N": "0"},
        "leaseCounter": {"N": str(lease(item).counter + 1)},
    }


def _new_row(key: str, parents: set[str]) -> Item:
    """A lease as KCL makes it for a new shard (``DynamoDBLeaseSerializer``)."""
    return {
        "leaseKey": {"S": key},
        "leaseCounter": {"N": "0"},
        "checkpoint": {"S": TRIM_HORIZON},
        "checkpointSubSequenceNumber": {"N": "0"},
        "ownerSwitchesSinceCheckpoint": {"N": "0"},
        "parentShardId": {"SS": sorted(parents)},
    }


def named(rows: Sequence[Lease], shard: str) -> Lease:
    """The lease of a shard, by its name or the end of it.

    Raises:
        ConfigError: no row or several rows fit.
    """
    found = [row for row in rows if row.shard == shard] or [
        row for row in rows if row.shard.endswith(shard)
    ]
    if len(found) != 1:
        ends = many(len(found), "shard ends", "shards end") if found else "No shard ends"
        raise ConfigError(f"{ends} in {shard!r}.", "kcl-processor leases --wide shows the names")
    return found[0]
