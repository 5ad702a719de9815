"""The daemon of one task: its files, its command line, its place on this host."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from kcl_processor.config.paths import RENDERED, TaskFiles
from kcl_processor.config.render import render
from kcl_processor.config.task import Kcl, Task, default_worker_id
from kcl_processor.errors import ConfigError, ExitCode, OperatorError, of_disk
from kcl_processor.launcher.class_archive import WORD_END, archive_flags
from kcl_processor.launcher.jars import LAUNCHER, daemon_class_path
from kcl_processor.launcher.java import MAIN_CLASS, find_java, jvm_flags
from kcl_processor.state import host_lock, worker_lock
from kcl_processor.state.start_file import remove_unheld, write_held
from kcl_processor.transform.transform import Transform

LOGBACK = LAUNCHER / "logback.xml"
# What the launcher reads (``Healer``): the words of the command that heals beside the daemon.
HEALER = "kcl_processor.healer"


@dataclass(frozen=True)
class Launch:
    """How to start a daemon: what to execute, and in which environment."""

    command: list[str]
    environment: dict[str, str]

    def keeping(self, healer: list[str]) -> Launch:
        """One whose daemon has a process beside it that heals, and starts it again if it ends.

        Args:
            healer: the words of its command.
        """
        java, *words = self.command
        return replace(self, command=[java, f"-D{HEALER}={WORD_END.join(healer)}", *words])


@dataclass(frozen=True)
class Logs:
    """Where ``kcl.log`` and ``connectors.log`` go.

    Attributes:
        prefix: what both names begin with; tells tasks and workers on one host apart.
    """

    folder: Path
    prefix: str = ""

    @classmethod
    def of(cls, task: Task, folder: Path | None) -> Logs:
        """A task's, in a folder that was chosen for it, or in the working directory.

        There the host's own worker writes names without a prefix, as the original library does.
        """
        worker = task.kcl.worker_id
        if worker != default_worker_id():
            return cls((folder or Path.cwd()).absolute(), f"{task.name}@{worker}-")
        return cls(folder.absolute(), f"{task.name}-") if folder else cls(Path.cwd())

    def __str__(self) -> str:
        names = (f"{self.prefix}connectors.log", f"{self.prefix}kcl.log")
        return ", ".join(str(self.folder / name) for name in names)


def make_launch(
    files: TaskFiles,
    stream_arn: str,
    origin: str,
    logs: Logs,
    java: str | None,
    transform: Transform | None = None,
) -> Launch:
    """Write the ``.properties`` of this start and put its command line together.

    What earlier starts of the worker were rendered into goes, unless a process still reads it.

    Args:
        origin: what the task was read from.
        java: the ``java`` to use; ``None`` looks for one.
        transform: the task's rules between both tables, if it has any.

    Raises:
        ConfigError: the path holds a space, which KCL would split the executable's name at, or
            cannot be written; or there can be no folder for the logs.
        OperatorError: there is no usable Java, or a jar is missing; or the disk is full.
    """
    if " " in str(files.worker):
        raise ConfigError(
            f"The path {files.worker} holds a space, and KCL splits its executable's name at "
            "spaces.",
            "--state-dir with a path that holds none",
        )
    remove_unheld(files.renderings())
    path = _write(files.worker, lambda path: render(files, stream_arn, path, origin, transform))
    _make_folder(logs)
    return Launch(command(path, logs, java, files.state), environment())


def command(properties: Path, logs: Logs, java: str | None, archives: Path) -> list[str]:
    """The command line of a daemon.

    Args:
        archives: where the archive of its classes is, or will be.
    """
    found, class_path = find_java(java), daemon_class_path()
    return [
        str(found.path),
        *jvm_flags(found.version, logs.folder, logs.prefix),
        *archive_flags(archives, found, class_path),
        "-cp",
        class_path,
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


_SECOND_WORKER = (
    "stop it first; a second worker here needs an id of its own: "
    "kcl-processor run --workerId worker-2"
)


def lock_worker(task: Task, hint: str = _SECOND_WORKER) -> socket.socket:
    """Hold a worker id on this host; the kernel lets go of it when the last holder ends.

    Two live workers of one id would both believe they own each other's leases. The lock stays held
    over the exec of Java.

    Raises:
        OperatorError: a live process on this host holds it.
    """
    return _hold(
        _lock_name(task.kcl),
        f"Task {task.name} already runs on this host, or is copied here, under the worker id "
        f"{task.kcl.worker_id}.",
        hint,
    )


def lock_logs(logs: Logs) -> socket.socket:
    """Hold the names of the log files on this host, as :func:`lock_worker` does the worker id.

    Raises:
        OperatorError: a live daemon on this host writes them.
    """
    return _hold(
        f"logs/{logs.folder.resolve()}/{logs.prefix}",
        f"Another daemon on this host writes {logs}.",
        "kcl-processor run --log-dir with a folder of this task's own",
    )


def running_workers(files: TaskFiles) -> list[str]:
    """The ids of the task's workers that live on this host and keep their files in this state
    directory, or have the task's own id.

    One that ``run`` started holds its name from before it is a daemon; one that the bootstrap
    script started, the lock in its folder alone.
    """
    known = {each.task.kcl.worker_id: each for each in (files, *files.every_worker())}
    return sorted(worker for worker, each in known.items() if _lives(each))


def _lives(files: TaskFiles) -> bool:
    return host_lock.is_held(_lock_name(files.task.kcl)) or worker_lock.has_daemon(files.lock)


def _lock_name(kcl: Kcl) -> str:
    where = f"{kcl.region}/{kcl.endpoint}/{kcl.application_name}/{kcl.worker_id}"
    return f"{where}/{kcl.access.whose}" if kcl.access.whose else where


def _hold(name: str, message: str, hint: str) -> socket.socket:
    lock = host_lock.hold(name)
    if lock is None:
        raise _AlreadyRunning(message, hint)
    lock.set_inheritable(True)
    return lock


class _AlreadyRunning(OperatorError):
    exit_code = ExitCode.CONFIG


def _make_folder(logs: Logs) -> None:
    try:
        logs.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{logs.folder} cannot be made: {error.strerror}."
        raise of_disk(error, message, "--log-dir with a folder of yours") from error


def _write(folder: Path, text: Callable[[Path], str]) -> Path:
    try:
        return write_held(folder, RENDERED, lambda path: text(path).encode("iso-8859-1"))
    except OSError as error:
        message = f"{folder} cannot be written: {error.strerror}."
        raise of_disk(error, message, "--state-dir with a folder of yours") from error
