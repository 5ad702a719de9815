"""What is measured: a command that replicates, started and killed like any daemon."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from integration.simulator.client import SimulatorProcess
from integration.worker import Worker

OURS = (
    f"{shlex.quote(sys.executable)} -m kcl_processor run --dontPublishCloudwatch"
    " --sourceRegion {region} --sourceTable {table} --sourceEndpoint {source_url}"
    " --destinationRegion {region} --destinationTable {destination_table}"
    " --destinationEndpoint {destination_url} --kclRegion {region} --kclEndpoint {source_url}"
    " --taskName {task} --state-dir {folder}/state --log-dir {folder}"
)


def of_task(command: str) -> str:
    """One of our commands on the task's YAML file; what it keeps is in the run's folder."""
    python = shlex.quote(sys.executable)
    return f"{python} -m kcl_processor {command} -c {{tasks}} --state-dir {{folder}}/state"


@dataclass(frozen=True)
class Subject:
    """A name for the tables of figures, and a command.

    The command's placeholders are the members of the simulator's ready line (`source_url`,
    `destination_url`, `table`, `destination_table`, `region`, `stream_arn`), `task`, a name that
    is new in every run, `folder`, a folder for the run's files, and `tasks`, the task's YAML file.
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

    def worker(self, simulator: SimulatorProcess, task: str, tasks: Path) -> Worker:
        """Return its daemon, to be started; it works in the folder of the task's file."""
        folder = tasks.parent
        values = {**simulator.ready, "task": task, "folder": folder, "tasks": tasks}
        words = [word.format(**values) for word in shlex.split(self.command)]
        return Worker(words, folder / "run.log")
