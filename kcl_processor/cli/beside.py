"""The copy that ``start`` sets beside its daemon: a process of its own, which ends with that."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from kcl_processor.config.task import Task
from kcl_processor.table.pace import Halt

# Options of a copy that go from one command to the other as they were given.
_PASSED = ("state_dir", "segments", "processes", "max_rcu", "max_wcu")
# Seconds that the daemon has to get its positions, in which its table and index are made, too.
PATIENCE = 600.0


def add_beside_argument(parser: argparse.ArgumentParser) -> None:
    """Add what only ``start`` gives: the process that the copy waits for, and ends with."""
    parser.add_argument("--beside", type=int, help=argparse.SUPPRESS)


def set_beside(args: argparse.Namespace, task: Task) -> None:
    """Start the copy of a task whose daemon this process becomes."""
    command = [sys.executable, "-m", "kcl_processor", "copy", "--live", "-c", str(args.config)]
    for name in _PASSED:
        if (value := getattr(args, name)) is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    command += ["--beside", str(os.getpid()), task.name]
    subprocess.Popen(command, stdin=subprocess.DEVNULL)


class DaemonsHalt(Halt):
    """A halt that is set when the daemon is gone.

    Args:
        daemon: its process, which this one is a child of.
    """

    def __init__(self, daemon: int) -> None:
        super().__init__()
        self._daemon = daemon
        self._own = os.getpid()

    def wait(self, seconds: float) -> None:
        # The copy's own processes are this one's children, and are told by it.
        if os.getpid() == self._own and os.getppid() != self._daemon:
            self.set()
        super().wait(seconds)
