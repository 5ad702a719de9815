"""Changing rows of the lease table by hand: saved to a file first, each as it was read.

A row that changes under a living worker stops it or splits the fleet, so whoever changes rows makes
sure first that nobody lives.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, OperatorError, of_disk
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import shard_of
from kcl_processor.state import durable

Item = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Step:
    """One row's change; ``after`` is ``None`` for a row that is deleted."""

    shard: str
    before: Item
    after: Item | None


def save(path: Path, task: Task, items: Sequence[Item]) -> None:
    """Write rows to a file that :func:`load` reads; never over another file.

    Raises:
        ConfigError: the file exists or cannot be written.
    """
    try:
        _write(path, task, items)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", "--save with another file"
        ) from error


def _write(path: Path, task: Task, items: Sequence[Item]) -> None:
    saved = {"task": task.name, "table": task.kcl.application_name, "items": list(items)}
    durable.new_file(path, json.dumps(saved, indent=1).encode())


def set_aside(files: TaskFiles, rows: Sequence[Item], now: float) -> Path | None:
    """Remove rows that are saved first; where they are saved, if there are any.

    Raises:
        ConfigError: they cannot be saved; nothing is removed.
        OperatorError: the disk is full, and nothing is removed; or a row changed in between, or a
            call failed, and earlier ones are gone.
    """
    if not rows:
        return None
    task = files.task
    path = _save_beside_others(files, rows, now)
    steps = [Step(shard_of(row["leaseKey"]["S"]), row, None) for row in rows]
    apply(clients.checkpoints(task), table_names(task).leases, steps)
    return path


def _save_beside_others(files: TaskFiles, rows: Sequence[Item], now: float) -> Path:
    """Two workers of a host, which a supervisor starts together, may do so in one second."""
    for seconds in itertools.count():
        path = files.saved_leases(now + seconds)
        try:
            _write(path, files.task, rows)
        except OSError as error:
            if not path.exists():
                message = f"{path} cannot be written: {error.strerror}."
                raise of_disk(error, message, "--state-dir with a folder of yours") from error
        else:
            break
    return path


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


def apply(client: Any, table: str, steps: Sequence[Step]) -> None:
    """Make the changes, each only if the row is still as it was read, or gone where it is to go.

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
                # Another may set the same aside, or an answer was lost and the call is repeated.
                condition["ConditionExpression"] += " OR attribute_not_exists(leaseKey)"
                client.delete_item(TableName=table, Key=key, **condition)
            else:
                client.put_item(TableName=table, Item=step.after, **condition)


def _unchanged(before: Item) -> dict[str, Any]:
    if not before:
        return {"ConditionExpression": "attribute_not_exists(leaseKey)"}
    told = [name for name in ("leaseCounter", "checkpoint") if name in before]
    if not told:
        return {"ConditionExpression": "attribute_exists(leaseKey)"}
    return {
        "ConditionExpression": " AND ".join(f"{name} = :{name}" for name in told),
        "ExpressionAttributeValues": {f":{name}": before[name] for name in told},
    }
