"""What belongs to a task and outlives it: KCL's tables, CloudWatch's alarms, files on this host."""

from __future__ import annotations

import shutil
from dataclasses import astuple, dataclass
from pathlib import Path

from kcl_processor.aws import clients
from kcl_processor.config.paths import TaskFiles, settled
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.operate.dashboard import alarms
from kcl_processor.state.dead_letters import LetterFile

TABLE, ALARM, FILE = "table", "alarm", "file"


@dataclass(frozen=True)
class Belonging:
    """One thing of a task's: its kind, its name, and what is lost with it."""

    kind: str
    name: str
    holds: str


def belongings(files: TaskFiles) -> list[Belonging]:
    """Everything of a task's that is there, found by its exact name.

    The source and the destination, their streams and their items belong to nobody here.

    Raises:
        OperatorError, PermissionDenied: it cannot be found out.
    """
    task = files.task
    shared = _shared(files)
    on_disk = [
        Belonging(FILE, str(path), holds) for path, holds in files.existing() if path not in shared
    ]
    return [*_tables(task), *_alarms(task), *on_disk]


def _shared(files: TaskFiles) -> set[Path]:
    """The file of dead letters and the one beside it, while another task has open letters there."""
    letters = LetterFile(files.letter_file).letters()
    if all(letter.task == files.task.name for letter in letters):
        return set()
    return {files.letter_file, settled(files.letter_file)}


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
            clients.checkpoints(task).delete_table(TableName=belonging.name)


def _tables(task: Task) -> list[Belonging]:
    client = clients.checkpoints(task)
    holds = ("every checkpoint", "the leader's lock and the task's identity", "worker metrics")
    return [
        Belonging(TABLE, name, what)
        for name, what in zip(astuple(table_names(task)), holds, strict=True)
        if clients.described(client, name, OperatorError, "try again")
    ]


def _alarms(task: Task) -> list[Belonging]:
    if not task.metrics.publish:
        return []
    names = [alarm["AlarmName"] for alarm in alarms(task, [])]
    with clients.calling("cloudwatch:DescribeAlarms", "*", OperatorError, "check metrics.endpoint"):
        there = clients.cloudwatch(task).describe_alarms(AlarmNames=names)["MetricAlarms"]
    return [Belonging(ALARM, alarm["AlarmName"], "") for alarm in there]
