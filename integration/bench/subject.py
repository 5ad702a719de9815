"""What is measured: a command that replicates, started and killed like any daemon."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_EC2_METADATA_DISABLED": "true",
}
OURS = (
    f"{shlex.quote(sys.executable)} -m kcl_processor run --dontPublishCloudwatch"
    " --sourceRegion {region} --sourceTable {table} --sourceEndpoint {source_url}"
    " --destinationRegion {region} --destinationTable {destination_table}"
    " --destinationEndpoint {destination_url} --kclRegion {region} --kclEndpoint {source_url}"
    " --taskName {task} --state-dir {folder}/state --log-dir {folder}"
)


@dataclass(frozen=True)
class Subject:
    """A name for the tables of figures, and a command.

    The command's placeholders are the members of the simulator's ready line (`source_url`,
    `destination_url`, `table`, `destination_table`, `region`, `stream_arn`), `task`, a name that
    is new in every run, and `folder`, a folder for the run's files.
    """

    name: str
    command: str

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Read `NAME=COMMAND`. Raises ValueError."""
        name, separator, command = text.partition("=")
        if not (name and separator and command):
            raise ValueError(f"{text!r} is not NAME=COMMAND")
        return cls(name, command)


class Running:
    """A started subject, in a process group of its own, killed at the end of the block."""

    def __init__(self, subject: Subject, values: dict[str, str], folder: Path) -> None:
        self._words = [word.format(**values) for word in shlex.split(subject.command)]
        self._folder = folder
        self.pid = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; it is a first start or a restart, as the lease table has it."""
        with (self._folder / "run.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **CREDENTIALS},
                cwd=self._folder,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def kill(self) -> None:
        """Kill the whole group with SIGKILL."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def must_live(self) -> None:
        """Raises RuntimeError, with its last words, if it has ended by itself."""
        if self._process.poll() is not None:
            words = (self._folder / "run.log").read_text(errors="replace")[-500:]
            raise RuntimeError(f"{self._words[0]} ended with {self._process.returncode}: {words}")
