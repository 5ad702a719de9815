"""What is set beside a daemon, each a process of its own that ends with it: the copy of ``start``,
and whoever heals. The former is started here; the latter by the daemon, again if it ends alone."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable

from kcl_processor.config.task import Task
from kcl_processor.table.pace import Halt

# Options of a copy that go from one command to the other.
_PASSED = ("state_dir", "segments", "processes", "max_rcu", "max_wcu")
# Seconds that the daemon has to get its positions, in which its table and index are made, too.
PATIENCE = 600.0
# Seconds after which a process whose daemon is gone has seen it, at the latest.
_SEEN = 5.0


def add_beside_argument(parser: argparse.ArgumentParser) -> None:
    """Add what no operator gives: the process of the daemon, which this one ends with."""
    parser.add_argument("--beside", type=int, help=argparse.SUPPRESS)


def set_beside(args: argparse.Namespace, task: Task) -> None:
    """Start the copy of a task whose daemon this process becomes."""
    command = _command(["copy", "--live"], args, _PASSED, task)
    subprocess.Popen(command, stdin=subprocess.DEVNULL)


def healer(args: argparse.Namespace, task: Task) -> list[str]:
    """What heals the gaps of a task whose daemon this process becomes."""
    return _command(["heal"], args, ("state_dir",), task)


def _command(
    words: Iterable[str], args: argparse.Namespace, passed: Iterable[str], task: Task
) -> list[str]:
    """A command beside the daemon that this process becomes.

    Args:
        passed: options of this command that go to that one as they were given.
    """
    command = [sys.executable, "-m", "kcl_processor", *words, "-c", str(args.config)]
    for name in passed:
        if (value := getattr(args, name)) is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    return [*command, "--beside", str(os.getpid()), task.name]


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
        while True:
            # The copy's own processes are this one's children, and are told by it.
            if os.getpid() == self._own and os.getppid() != self._daemon:
                self.set()
            super().wait(min(seconds, _SEEN))
            seconds -= _SEEN
            if seconds <= 0:
                return
