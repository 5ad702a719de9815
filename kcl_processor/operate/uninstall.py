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

TABLE, ALARM, FILE, LETTERS = "table", "alarm", "file", "letters"


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
    return [*_tables(files.task), *_alarms(files.task), *_on_disk(files)]


def _on_disk(files: TaskFiles) -> list[Belonging]:
    """The files; of one in which another task has open letters, this task's own open ones."""
    letters, tasks = files.letter_file, _with_letters(files)
    shared = _letter_files(files) if tasks - {files.task.name} else frozenset()
    found = [
        Belonging(FILE, str(path), what) for path, what in files.existing() if path not in shared
    ]
    if shared and files.task.name in tasks:
        found.append(
            Belonging(LETTERS, str(letters), "changes that were set aside, beside another task's")
        )
    return found


def _with_letters(files: TaskFiles) -> set[str]:
    """The tasks that have open letters in this one's file."""
    return {letter.task for letter in LetterFile(files.letter_file).letters()}


def _letter_files(files: TaskFiles) -> frozenset[Path]:
    return frozenset({files.letter_file, settled(files.letter_file)})


def delete(files: TaskFiles, belonging: Belonging) -> None:
    """Delete one of them.

    Raises:
        OperatorError, PermissionDenied: it cannot be deleted.
    """
    task = files.task
    if belonging.kind in (FILE, LETTERS):
        _delete_on_disk(files, belonging)
    elif belonging.kind == ALARM:
        with clients.calling(
            "cloudwatch:DeleteAlarms", belonging.name, OperatorError, "delete it by hand"
        ):
            clients.cloudwatch(task).delete_alarms(AlarmNames=[belonging.name])
    else:
        hint = "turn its deletion protection off, or delete it by hand"
        with clients.calling("dynamodb:DeleteTable", belonging.name, OperatorError, hint):
            clients.checkpoints(task).delete_table(TableName=belonging.name)


def _delete_on_disk(files: TaskFiles, belonging: Belonging) -> None:
    path = Path(belonging.name)
    try:
        # Another task may have set something aside there since it was looked at.
        shared = path in _letter_files(files) and _with_letters(files) - {files.task.name}
        if shared or belonging.kind == LETTERS:
            _settle(LetterFile(files.letter_file), files.task)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise OperatorError(
            f"{path} cannot be deleted: {error.strerror}.",
            "kcl-processor uninstall --yes as its owner, or delete it by hand",
        ) from error


def _settle(place: LetterFile, task: Task) -> None:
    """Leave none of a task's letters open."""
    for letter in place.letters():
        if letter.task == task.name:
            place.settle(letter)


def _tables(task: Task) -> list[Belonging]:
    client = clients.checkpoints(task)
    holds = (
        "every checkpoint",
        "the leader's lock, the task's identity and its proof",
        "worker metrics",
    )
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
