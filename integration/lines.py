"""A Python program that is spoken to by lines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Self


class Program:
    """``python -m MODULE WORDS``, killed at the end of the context.

    Args:
        within: a command that runs commands, such as one of a network namespace.
    """

    def __init__(self, module: str, *words: str, within: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*within, sys.executable, "-m", module, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def read(self) -> str:
        """The next line; empty when it has ended."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def ask(self) -> str:
        """Say something; the next line."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.read()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> list[str]:
        """Kill it; all that it has said since."""
        self._process.kill()
        said, _ = self._process.communicate()
        return said.split()
