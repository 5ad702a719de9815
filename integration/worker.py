"""A daemon with its children, as a process group to stop, pause and kill."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import psutil

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Worker:
    """A running daemon.

    Args:
        name: its worker id.
        command: starts it.
        logs: the folder of its logs.
        task: what the logs' names begin with.
    """

    def __init__(self, name: str, command: list[str], logs: Path, task: str) -> None:
        self.name = name
        self._logs = logs
        self._task = task
        logs.mkdir(exist_ok=True)
        with (logs / "run.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **CREDENTIALS},
                start_new_session=True,
            )
        self.pid = self._process.pid

    def children(self) -> list[psutil.Process]:
        """The record processors."""
        try:
            return psutil.Process(self.pid).children()
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

    def stop(self) -> int:
        """Ask for a graceful end, and give the exit code."""
        self._process.terminate()
        return self.wait(45)

    def ask_to_stop(self) -> None:
        """Ask for a graceful end."""
        self._process.terminate()

    def wait(self, seconds: float = 60.0) -> int:
        """Wait for the daemon's end, and give the exit code."""
        return self._process.wait(seconds)

    def running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        """What an operator reads: connectors.log, and what went to the console."""
        return self._read(f"{self._task}-connectors.log") + self._read("run.log")

    def kcl_log(self) -> str:
        return self._read(f"{self._task}-kcl.log")

    def _read(self, name: str) -> str:
        path = self._logs / name
        return path.read_text(errors="replace") if path.exists() else ""
