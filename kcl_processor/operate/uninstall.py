"""What belongs to a task and outlives it: KCL's tables, CloudWatch's alarms, files on this host."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from kcl_processor.aws import clients
from kcl_processor.config.render import dead_letter_file, gap_file, heartbeat_folder
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.kcl_tables import kcl_tables
from kcl_processor.operate.dashboard import alarms
from kcl_processor.table.copy_progress import progress_file

TABLE, ALARM, FILE = "table", "alarm", "file"


@dataclass(frozen=True)
class Belonging:
    """One thing of a task's: its kind, its name, and what is lost with it."""

    kind: str
    name: str
    holds: str


def belongings(task: Task, state: Path) -> list[Belonging]:
    """Everything of a task's that is there, found by its exact name.

    The source and the destination, their streams and their items belong to nobody here.

    Raises:
        OperatorError, PermissionDenied: it cannot be found out.
    """
    return [*_tables(task), *_alarms(task), *_files(task, state)]


def delete(task: Task, belonging: Belonging) -> None:
    """Delete one of them.

    Raises:
        OperatorError, PermissionDenied: it cannot be deleted.
    """
    if belonging.kind == FILE:
        path = Path(belonging.name)
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    elif belonging.kind == ALARM:
        with clients.calling(
            "cloudwatch:DeleteAlarms", belonging.name, OperatorError, "delete it by hand"
        ):
            clients.cloudwatch(task).delete_alarms(AlarmNames=[belonging.name])
    else:
        hint = "turn its deletion protection off, or delete it by hand"
        with clients.calling("dynamodb:DeleteTable", belonging.name, OperatorError, hint):
            clients.kcl_tables(task).delete_table(TableName=belonging.name)


def _tables(task: Task) -> list[Belonging]:
    client = clients.kcl_tables(task)
    absent = client.exceptions.ResourceNotFoundException
    holds = ("every checkpoint", "the leader's lock and the task's identity", "worker metrics")
    found = []
    for name, what in zip(astuple(kcl_tables(task)), holds, strict=True):
        calling = clients.calling("dynamodb:DescribeTable", name, OperatorError, "try again")
        with calling, suppress(absent):
            client.describe_table(TableName=name)
            found.append(Belonging(TABLE, name, what))
    return found


def _alarms(task: Task) -> list[Belonging]:
    if not task.metrics.publish:
        return []
    names = [alarm["AlarmName"] for alarm in alarms(task, [])]
    with clients.calling("cloudwatch:DescribeAlarms", "*", OperatorError, "check metrics.endpoint"):
        there = clients.cloudwatch(task).describe_alarms(AlarmNames=names)["MetricAlarms"]
    return [Belonging(ALARM, alarm["AlarmName"], "") for alarm in there]


def _files(task: Task, state: Path) -> list[Belonging]:
    named = {
        state / f"{task.name}.properties": "rendered from the task's file",
        heartbeat_folder(task, state): "figures of record processors",
        dead_letter_file(task, state): "changes that were set aside",
        gap_file(task, state): "gaps that were passed",
        progress_file(task, state): "how far the copy is",
    }
    saved = dict.fromkeys(state.glob(f"{task.name}.leases-*.json"), "rows that a reset saved")
    return [
        Belonging(FILE, str(path), holds)
        for path, holds in sorted({**named, **saved}.items())
        if path.exists()
    ]
