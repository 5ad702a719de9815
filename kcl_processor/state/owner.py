"""Whose a task's files on this host are.

Files are named after their task, and another configuration may hold a task of that name. Its
dead letters, gaps and progress would mix with these. So the first start notes which checkpoint
table they go with, and whoever opens them later compares.
"""

from __future__ import annotations

import json
from pathlib import Path

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, of_disk
from kcl_processor.state.durable import replace_file

_OTHER = "--state-dir with a folder of yours"


def owned_files(task: Task, state: Path) -> TaskFiles:
    """A task's files in a state directory, if they are not another task's of its name.

    Raises:
        ConfigError: they are, or it cannot be read whose they are.
    """
    files = TaskFiles(task, state)
    try:
        noted = json.loads(files.owner.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return files
    except OSError as error:
        raise ConfigError(f"{files.owner} cannot be read: {error.strerror}.", _OTHER) from error
    except ValueError as error:
        raise _no_note(files, str(error)) from error
    if not isinstance(noted, dict):
        raise _no_note(files, f"it holds {noted!r}")
    ours = _owner(task)
    # Earlier versions did not write down whose it is.
    if {"whose": ours["whose"]} | noted != ours:
        raise ConfigError(
            f"The files of task {task.name} in {state} belong to another task of that name: to the "
            f"checkpoint table {_words(noted)}, and this task's is {_words(_owner(task))}.",
            "--state-dir with a folder of this task's own, or give the task another name; "
            f"if both are one task, spelled anew: rm {files.owner}",
        )
    return files


def own(files: TaskFiles) -> None:
    """Note that the files are this task's, unless that is noted already.

    Raises:
        ConfigError: they are another task's, or the note cannot be written.
        OperatorError: the disk is full.
    """
    owned_files(files.task, files.state)
    if files.owner.exists():
        return
    try:
        replace_file(files.owner, json.dumps(_owner(files.task)).encode())
    except OSError as error:
        message = f"{files.owner} cannot be written: {error.strerror}."
        raise of_disk(error, message, _OTHER) from error


def _no_note(files: TaskFiles, why: str) -> ConfigError:
    return ConfigError(
        f"{files.owner} does not say whose the files of task {files.task.name} are: {why}.",
        f"rm {files.owner}, if they are its own; otherwise --state-dir with another folder",
    )


def _owner(task: Task) -> dict[str, str | None]:
    kcl = task.kcl
    return {
        "region": kcl.region,
        "endpoint": kcl.endpoint,
        "application_name": kcl.application_name,
        "whose": kcl.access.whose,
    }


def _words(owner: dict[str, str | None]) -> str:
    at = f" at {owner['endpoint']}" if owner.get("endpoint") else ""
    of = f" of {owner['whose']}" if owner.get("whose") else ""
    return f"{owner.get('application_name')} in {owner.get('region')}{at}{of}"
