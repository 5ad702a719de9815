"""A fleet of real daemons on this machine: simulated stream, DynamoDB Local, a CloudWatch by moto.

Every call goes through a recorder, so that a test can ask which actions each side needed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from integration import local_tables, other_stores, task_file
from integration.clients import client
from integration.commands import Commands
from integration.recorder import Recorder, recording
from integration.simulator.client import Option, SimulatorProcess
from integration.worker import Worker
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks

TASK = "orders"


class Fleet:
    """Daemons of one task by worker id, and the commands an operator types about it.

    Args:
        database: DynamoDB Local's URL, for what is asked past the recorders.
    """

    def __init__(
        self, folder: Path, database: str, simulator: SimulatorProcess, sides: dict[str, Recorder]
    ) -> None:
        self.folder = folder
        self._kcl = client("dynamodb", database)
        self.simulator = simulator
        self.sides = sides
        self.file = folder / "orders.yml"
        self.workers: dict[str, Worker] = {}
        region = "us-east-1"
        settings = {
            "source": task_file.side(region, "source", sides["source"].url),
            "destination": task_file.side("us-west-2", "replica", sides["destination"].url),
            "kcl": {"region": region, "endpoint": sides["kcl"].url, "worker_id": "worker-1"},
            "metrics": {"region": region, "endpoint": sides["metrics"].url},
        }
        task_file.write(self.file, TASK, settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.kill()

    @property
    def task(self) -> Task:
        return load_tasks(self.file)[0]

    def start(self, name: str) -> None:
        """Start a daemon of this worker id, with a state directory of its own."""
        line = self.commands(name).line("run", "--workerId", name, "--log-dir", str(self.folder))
        self.workers[name] = Worker(line, self.folder / f"{name}.log", name=name)
        self.workers[name].start()

    def state(self, worker: str) -> Path:
        return self.folder / f"state-{worker}"

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the product about the task, on the host of the first worker."""
        return self.commands("worker-1").run(*words)

    def leases(self) -> list[dict[str, Any]]:
        """What ``leases --json`` says, without waiting for counters."""
        return list(json.loads(self.ask("leases", "--json", "--no-wait").stdout or "[]"))

    def rows(self) -> dict[str, dict[str, Any]]:
        """The lease table's rows by lease key, read past the recorder; none before it is made."""
        try:
            return local_tables.leases(self._kcl, self.task.kcl.application_name)
        except self._kcl.exceptions.ResourceNotFoundException:
            return {}

    def commands(self, worker: str) -> Commands:
        """The product's commands on the host of a worker."""
        return Commands(self.file, self.state(worker))


@contextmanager
def fleet(folder: Path, **simulator: Option) -> Iterator[Fleet]:
    """A fleet without daemons yet; ``simulator`` are the simulator's settings."""
    with ExitStack() as stack:
        database = stack.enter_context(local_tables.database())
        source = stack.enter_context(SimulatorProcess(behind=database, **simulator))
        urls = {
            "source": source.source_url,
            "destination": source.destination_url,
            "kcl": database,
            "metrics": stack.enter_context(other_stores.moto()),
        }
        sides = {name: stack.enter_context(recording(url)) for name, url in urls.items()}
        yield stack.enter_context(Fleet(folder, database, source, sides))
