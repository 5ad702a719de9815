"""Changing KCL's tables by hand: checkpoints set back, rows put back, a dead leader's lock removed.

Rows that change under a living fleet stop it or split it, so each of these first watches whether
anything a worker moves does move, and every write is made on the condition that the row is still
the one that was read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet import coordinator
from kcl_processor.fleet.kcl_tables import KclTables, kcl_tables
from kcl_processor.fleet.leases import (
    BEGIN,
    LATEST,
    TRIM_HORIZON,
    Lease,
    lease,
    read_rows,
    scan,
    text,
)

# The original library set KCL 1.x to a failover of 60 s, so its workers renew every 20 s, and KCL
# 1.x has no other sign of life.
_OLD_KCL_PATIENCE = 25.0
# KCL's leader beats every 30 s (DynamoDBLockBasedLeaderDecider), this product's more often.
_LEADER_PATIENCE = 35.0
_POLL = 1.0

Item = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """One row's change; ``after`` is ``None`` for a row that is deleted."""

    shard: str
    before: Item
    after: Item | None


def plan_reset(items: Sequence[Item], shard: str | None, to: str) -> list[Step]:
    """What a reset changes.

    A whole reset to the trim horizon deletes the rows: KCL then makes them anew, as on a first
    start, for every shard that the stream still holds. A single shard that is set back takes its
    descendants with it, or its old images would stay over their newer ones for good. Whatever it
    has lost is accepted by that; a descendant that was never read still has all to lose.

    Args:
        shard: a shard's name or the end of it; ``None`` for all.
        to: ``TRIM_HORIZON``, ``LATEST`` or a sequence number.

    Raises:
        ConfigError: no row or several rows fit ``shard``.
    """
    rows = [(lease(item), item) for item in items if text(item, "entityType") in (None, "LEASE")]
    if shard is None and to == TRIM_HORIZON:
        return [Step(row.shard, item, None) for row, item in rows]
    if shard is None:
        return [Step(row.shard, item, _at(item, to)) for row, item in rows if not row.ended]
    chosen = _named([row for row, _ in rows], shard)
    below = set() if to == LATEST else _descendants(chosen.shard, [row for row, _ in rows])
    return [
        Step(row.shard, item, _at(item, to) if row.shard == chosen.shard else _reread(item))
        for row, item in rows
        if row.shard == chosen.shard or row.shard in below
    ]


def refuse_if_alive(client: Any, task: Task, clock: Clock, wait: Callable[[float], None]) -> None:
    """Watch KCL's tables, and raise :class:`OperatorError` if anything in them moves."""
    names = kcl_tables(task)
    rows = read_rows(client, names)
    patience = coordinator.renewal_seconds(task)
    if not rows.workers:
        patience = max(patience, _OLD_KCL_PATIENCE)
    before = dict(coordinator.pulses_of(rows))
    deadline = clock.elapsed() + patience
    while clock.elapsed() < deadline:
        wait(_POLL)
        after = dict(coordinator.pulses_of(read_rows(client, names)))
        moved = sorted(name for name, value in after.items() if before.get(name) != value)
        if moved:
            raise OperatorError(
                f"Task {task.name} is running: {', '.join(moved[:3])} moved while watched.",
                "stop every worker of the task first",
            )


def save(path: Path, task: Task, items: Sequence[Item]) -> None:
    """Write rows to a file that :func:`restore` takes; never over another file.

    Raises:
        ConfigError: the file exists or cannot be written.
    """
    saved = {"task": task.name, "table": task.kcl.application_name, "items": list(items)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            json.dump(saved, file, indent=1)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", "--save with another file"
        ) from error


def load(path: Path, task: Task) -> list[Item]:
    """Read rows that :func:`save` wrote.

    Raises:
        ConfigError: it is no such file, or another task's.
    """
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        items, table = saved["items"], saved["table"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path} does not hold the rows of a reset: {error}.",
            "name the file that `kcl-processor leases reset` printed",
        ) from error
    if table != task.kcl.application_name:
        raise ConfigError(
            f"{path} holds rows of {table}, and task {task.name} keeps its in "
            f"{task.kcl.application_name}.",
            f"name the task {saved.get('task')}",
        )
    return list(items)


def plan_restore(saved: Sequence[Item], present: Sequence[Item]) -> list[Step]:
    """What brings the lease rows back to those that were saved."""
    now = {str(text(item, "leaseKey")): item for item in present}
    then = {str(text(item, "leaseKey")): item for item in saved}
    return [
        Step(lease(item).shard, now.get(key, {}), then.get(key))
        for key, item in sorted({**now, **then}.items())
        if now.get(key) != then.get(key) and text(item, "entityType") in (None, "LEASE")
    ]


def apply(client: Any, table: str, steps: Sequence[Step]) -> None:
    """Make the changes, each only if the row is still as it was read.

    Raises:
        OperatorError: a row changed in between, or a call failed; earlier steps are done.
    """
    hint = "look at `kcl-processor leases`; the saved file brings the rows back"
    for step in steps:
        on = f"lease {step.shard} in {table}"
        condition = _unchanged(step.before)
        with clients.calling("dynamodb:PutItem", on, OperatorError, hint):
            if step.after is None:
                key = {"leaseKey": step.before["leaseKey"]}
                client.delete_item(TableName=table, Key=key, **condition)
            else:
                client.put_item(TableName=table, Item=step.after, **condition)


def unlock_leader(
    client: Any, task: Task, clock: Clock, wait: Callable[[float], None], execute: bool
) -> coordinator.Leader | None:
    """Remove the leader's lock if its owner is gone; the lock that was found, if any.

    Raises:
        OperatorError: the owner lives.
    """
    names = kcl_tables(task)
    found = coordinator.leader(read_rows(client, names))
    if found is None:
        return None
    deadline = clock.elapsed() + min(found.lease_seconds, _LEADER_PATIENCE)
    while clock.elapsed() < deadline:
        wait(_POLL)
        rows = read_rows(client, names)
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


def _delete_lock(client: Any, names: KclTables, found: coordinator.Leader) -> None:
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
    return {**_at(item, TRIM_HORIZON), **({BEGIN: item[BEGIN]} if unread else {})}


def _at(item: Item, checkpoint: str) -> Item:
    """A row without an owner at a checkpoint; its counter grows, so no old owner can renew it."""
    dropped = ("leaseOwner", "checkpointOwner", BEGIN)
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


def _unchanged(before: Item) -> dict[str, Any]:
    if not before:
        return {"ConditionExpression": "attribute_not_exists(leaseKey)"}
    return {
        "ConditionExpression": "leaseCounter = :counter AND checkpoint = :checkpoint",
        "ExpressionAttributeValues": {
            ":counter": before["leaseCounter"],
            ":checkpoint": before["checkpoint"],
        },
    }


def _named(rows: Sequence[Lease], shard: str) -> Lease:
    found = [row for row in rows if row.shard == shard] or [
        row for row in rows if row.shard.endswith(shard)
    ]
    if len(found) != 1:
        many = f"{len(found)} shards end" if found else "No shard ends"
        raise ConfigError(f"{many} in {shard!r}.", "kcl-processor leases --wide shows the names")
    return found[0]


def _descendants(shard: str, rows: Sequence[Lease]) -> set[str]:
    def below(name: str) -> Iterator[str]:
        for row in rows:
            if name in row.parents:
                yield row.shard
                yield from below(row.shard)

    return set(below(shard))
