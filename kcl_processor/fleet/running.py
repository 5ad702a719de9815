"""Whether a task's daemon is alive anywhere, told by its tables: an alive worker keeps writing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.config.kcl_properties import DEFAULTS
from kcl_processor.config.task import Task
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.fleet.kcl_tables import kcl_tables
from kcl_processor.fleet.leases import scan

Signs = dict[str, list[dict[str, Any]]]


class StillRunning(OperatorError):
    """The daemon is alive where it must not be; nothing was touched."""

    exit_code = ExitCode.CONFIG


def signs_of_life(task: Task) -> Signs:
    """Leases, the workers' heartbeats and the leader's: rows that a daemon keeps changing while it
    lives; empty before its first start.

    Raises:
        OperatorError: they cannot be read.
        PermissionDenied: a call is denied.
    """
    client, names = clients.kcl_tables(task), kcl_tables(task)
    tables = (names.leases, names.workers, names.coordinator)
    found = {table: sorted(scan(client, table) or [], key=repr) for table in tables}
    return {table: rows for table, rows in found.items() if rows}


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


def has_leases(task: Task) -> bool:
    """Whether a daemon of this task was ever started: its shards have leases."""
    rows = scan(clients.kcl_tables(task), kcl_tables(task).leases) or []
    return any("checkpoint" in row for row in rows)


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
