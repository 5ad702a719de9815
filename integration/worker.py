"""A daemon with its children, as a process group to stop, pause and kill."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil

from integration.credentials import environment

# What the rendered units give a stop.
STOP_SECONDS = 45.0


class Worker:
    """A daemon, or another command that runs for long; as a block, it is killed at the end.

    Args:
        command: starts it.
        console: takes what it writes on stdout and stderr; it works in this file's folder.
        logs: the files beside it that an operator reads.
        name: its worker id.
    """

    def __init__(
        self, command: Sequence[str], console: Path, *logs: Path, name: str = "worker-1"
    ) -> None:
        self.name = name
        self._command = command
        self._console = console
        self._logs = (*logs, console)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, for the first time or again."""
        folder = self._console.parent
        folder.mkdir(exist_ok=True)
        with self._console.open("ab") as console:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=environment(),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def children(self) -> list[psutil.Process]:
        """The record processors."""
        return record_processors(self.pid)

    def host(self) -> list[psutil.Process]:
        """The daemon and all that descends from it, the youngest first."""
        try:
            daemon = psutil.Process(self.pid)
            return [*reversed(daemon.children(recursive=True)), daemon]
        except psutil.NoSuchProcess:
            return []

    def signal_host(self, number: signal.Signals) -> None:
        """Signal the daemon and its children, as losing or pausing their host does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """Kill the daemon and its children; a paused one, too."""
        self.signal_host(signal.SIGKILL)
        self._process.wait(20)

    def kill_daemon(self) -> None:
        """Kill the Java daemon alone; its children see the end of their input."""
        self._process.kill()
        self._process.wait(20)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask for a graceful end, and give the exit code."""
        self.ask_to_stop(number)
        return self.wait(STOP_SECONDS)

    def ask_to_stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask for a graceful end."""
        self._process.send_signal(number)

    def wait(self, seconds: float = 60.0) -> int:
        """Wait for the daemon's end, and give the exit code."""
        return self._process.wait(seconds)

    def running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        """What an operator reads: the logs, then the console."""
        return "".join(path.read_text(errors="replace") for path in self._logs if path.exists())


def record_processors(daemon: int) -> list[psutil.Process]:
    """Those of a daemon: what the fork server, its child, forked. Another child may be at work that
    archives its classes, with a JVM."""
    try:
        forks = [fork for child in psutil.Process(daemon).children() for fork in child.children()]
        return [fork for fork in forks if fork.name() != "java"]
    except psutil.NoSuchProcess:
        return []
