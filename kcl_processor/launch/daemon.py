"""The daemon of one task: its files, its command line, its place on this host."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from kcl_processor.config.render import render
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.launcher.jars import LAUNCHER, daemon_class_path
from kcl_processor.launcher.java import MAIN_CLASS, find_java, jvm_flags
from kcl_processor.state import host_lock

LOGBACK = LAUNCHER / "logback.xml"


@dataclass(frozen=True)
class Launch:
    """How to start a daemon: what to execute, and in which environment."""

    command: list[str]
    environment: dict[str, str]
    properties: Path


def state_directory(given: str | None) -> Path:
    """The folder for what must outlive a daemon on this host: dead letters, gaps, copy progress.

    In this order: as given, ``KCL_PROCESSOR_STATE``, systemd's ``STATE_DIRECTORY``, the XDG one.
    """
    environment = os.environ
    base = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    chosen = (
        given
        or environment.get("KCL_PROCESSOR_STATE")
        or environment.get("STATE_DIRECTORY")
        or Path(base) / "kcl-processor"
    )
    return Path(chosen).absolute()


def prepare(
    task: Task, stream_arn: str, origin: str, state: Path, logs: Path, prefix: str, java: str | None
) -> Launch:
    """Write a task's ``.properties`` and put its command line together.

    Args:
        origin: what the task was read from.
        state: :func:`state_directory`.
        logs: the folder of ``kcl.log`` and ``connectors.log``.
        prefix: what both log files' names begin with; tells tasks on one host apart.
        java: the ``java`` to use; ``None`` looks for one.

    Raises:
        ConfigError: a path holds a space, which KCL would split the executable's name at.
        OperatorError: there is no usable Java, or a jar is missing.
    """
    path = state / f"{task.name}.properties"
    if " " in str(path):
        raise ConfigError(
            f"The path {path} holds a space, and KCL splits its executable's name at spaces.",
            "--state-dir with a path that holds none",
        )
    _write(path, render(task, stream_arn, path, state, origin))
    logs.mkdir(parents=True, exist_ok=True)
    return Launch(command(path, LOGBACK, logs, prefix, java), environment(), path)


def command(
    properties: Path, logback: Path, logs: Path, prefix: str, java: str | None
) -> list[str]:
    """The command line of a daemon."""
    found = find_java(java)
    return [
        str(found.path),
        *jvm_flags(found.version, logs, prefix),
        "-cp",
        daemon_class_path(),
        MAIN_CLASS,
        "--properties-file",
        str(properties),
        "--log-configuration",
        str(logback),
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
    """Write a file whole or not at all; a running daemon's children may be reading it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(text, encoding="iso-8859-1")
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", "--state-dir with a folder of yours"
        ) from error
