"""Whether a task's daemon is alive anywhere, told by its tables: an alive worker keeps writing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcl_processor import clients
from kcl_processor.config import Task
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.kcl_properties import DEFAULTS

# Leases with their counters, the workers' heartbeats, and the leader's.
_SUFFIXES = ("", "-WorkerMetricStats", "-CoordinatorState")

Signs = dict[str, list[dict[str, Any]]]


class StillRunning(OperatorError):
    """The daemon is alive where it must not be; nothing was touched."""

    exit_code = ExitCode.CONFIG


def signs_of_life(task: Task) -> Signs:
    """Read the rows that a daemon keeps changing while it lives; empty before its first start.

    Raises:
        OperatorError: they cannot be read.
        PermissionDenied: a call is denied.
    """
    client = clients.kcl_tables(task)
    signs = {}
    for suffix in _SUFFIXES:
        table = task.kcl.application_name + suffix
        where = f"table {table} in {task.kcl.region}"
        with clients.calling("dynamodb:Scan", where, OperatorError, "check kcl.endpoint"):
            rows = _rows(client, table)
        if rows:
            signs[table] = sorted(rows, key=repr)
    return signs


def refuse_running(task: Task, wait: Callable[[float], None]) -> Signs:
    """Watch for as long as KCL gives a worker before it counts as dead.

    A worker renews its leases three times in that time, and heartbeats besides.

    Returns:
        what was seen last, for :func:`refuse_moved`.

    Raises:
        StillRunning: something moved.
    """
    properties = {**DEFAULTS, **task.kcl.properties}
    first = signs_of_life(task)
    if not first:
        return first
    for _ in range(int(properties["failoverTimeMillis"]) // 1000 + 1):
        wait(1.0)
        refuse_moved(task, first)
    return first


def refuse_moved(task: Task, before: Signs) -> None:
    """Compare with what was seen earlier.

    Raises:
        StillRunning: something moved.
    """
    if signs_of_life(task) != before:
        raise StillRunning(
            f"The daemon of task {task.name} is alive: the leases in "
            f"{task.kcl.application_name} move. An old item of a copy could land on a newer one.",
            "stop the daemon on every host, then kcl-processor copy again",
        )


def _rows(client: Any, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    try:
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            rows += page["Items"]
    except client.exceptions.ResourceNotFoundException:
        return []
    return rows
