"""The daemon of one task: its files, its command line, its place on this host."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.render import render
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.launcher.jars import LAUNCHER, daemon_class_path
from kcl_processor.launcher.java import MAIN_CLASS, find_java, jvm_flags
from kcl_processor.state import host_lock
from kcl_processor.state.durable import replace_file

LOGBACK = LAUNCHER / "logback.xml"


@dataclass(frozen=True)
class Launch:
    """How to start a daemon: what to execute, and in which environment."""

    command: list[str]
    environment: dict[str, str]


@dataclass(frozen=True)
class Logs:
    """Where ``kcl.log`` and ``connectors.log`` go.

    Attributes:
        prefix: what both names begin with; tells tasks on one host apart.
    """

    folder: Path
    prefix: str = ""

    def __str__(self) -> str:
        names = (f"{self.prefix}connectors.log", f"{self.prefix}kcl.log")
        return ", ".join(str(self.folder / name) for name in names)


def make_launch(
    files: TaskFiles, stream_arn: str, origin: str, logs: Logs, java: str | None
) -> Launch:
    """Write a task's ``.properties`` and put its command line together.

    Args:
        origin: what the task was read from.
        java: the ``java`` to use; ``None`` looks for one.

    Raises:
        ConfigError: a path holds a space, which KCL would split the executable's name at.
        OperatorError: there is no usable Java, or a jar is missing.
    """
    path = files.properties
    if " " in str(path):
        raise ConfigError(
            f"The path {path} holds a space, and KCL splits its executable's name at spaces.",
            "--state-dir with a path that holds none",
        )
    _write(path, render(files, stream_arn, path, origin))
    logs.folder.mkdir(parents=True, exist_ok=True)
    return Launch(command(path, logs, java), environment())


def command(properties: Path, logs: Logs, java: str | None) -> list[str]:
    """The command line of a daemon."""
    found = find_java(java)
    return [
        str(found.path),
        *jvm_flags(found.version, logs.folder, logs.prefix),
        "-cp",
        daemon_class_path(),
        MAIN_CLASS,
        "--properties-file",
        str(properties),
        "--log-configuration",
        str(LOGBACK),
    ]


def environment() -> dict[str, str]:
    """Our environment, with this Python's programs first on the ``PATH``: the daemon looks there
    for the record processor's. Both of them have many threads, and glibc keeps up to eight arenas
    of memory a core for them, mostly empty."""
    programs = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "")
    return {
        "MALLOC_ARENA_MAX": "2",
        **os.environ,
        "PATH": programs + os.pathsep + path,
        "PYTHONUNBUFFERED": "1",
    }


def lock_worker(task: Task) -> socket.socket:
    """Hold a worker id on this host; the kernel lets go of it when the last holder ends.

    Two live workers of one id would both believe they own each other's leases. The lock stays held
    over the exec of Java.

    Raises:
        OperatorError: a live process on this host holds it.
    """
    lock = host_lock.hold(_lock_name(task))
    if lock is None:
        raise _AlreadyRunning(
            f"Task {task.name} already runs on this host under the worker id {task.kcl.worker_id}.",
            "stop it first; a second worker here needs an id of its own: run --workerId",
        )
    lock.set_inheritable(True)
    return lock


def is_running(task: Task) -> bool:
    """Whether a live process on this host holds the task's worker id."""
    return host_lock.is_held(_lock_name(task))


def _lock_name(task: Task) -> str:
    kcl = task.kcl
    return f"{kcl.region}/{kcl.endpoint}/{kcl.application_name}/{kcl.worker_id}"


class _AlreadyRunning(OperatorError):
    exit_code = ExitCode.CONFIG


def _write(path: Path, text: str) -> None:
    """A running daemon's children may be reading the file."""
    try:
        replace_file(path, text.encode("iso-8859-1"))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", "--state-dir with a folder of yours"
        ) from error
