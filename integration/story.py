"""What a story is told with: a simulated stream and destination, a task, and its daemons.

A story hurts a daemon, the stream or the destination, and then asks the simulator's judge whether
source and destination are equal and whether any key ever went backwards.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, Self

from integration import local_tables, task_file
from integration.clients import client
from integration.commands import Commands
from integration.simulator.client import Option, SimulatorProcess
from integration.until import until
from integration.worker import Worker
from kcl_processor.config.task import APPLICATION_PREFIX

TaskKeys = dict[str, Any]

_names = itertools.count(1)


class Story:
    """A task whose source and destination are simulated, and its workers.

    Args:
        folder: for configuration, state and logs.
        database: DynamoDB Local's URL, for KCL's tables.
        task: keys of the task beside its two sides, as in the YAML file.
        simulator: options of the simulator.

    Attributes:
        commands: the product's, on the task and the state directory of this host.
    """

    def __init__(
        self, folder: Path, database: str, task: TaskKeys | None = None, /, **simulator: Option
    ) -> None:
        self.folder = folder
        self.database = database
        # One, since to make one takes as long as some of its calls.
        self._kcl = client("dynamodb", database)
        self.simulator = SimulatorProcess(**simulator)
        self.name = f"story{os.getpid()}x{next(_names)}"
        self.workers: list[Worker] = []
        self.commands = Commands(folder / f"{self.name}.yml", folder / "state")
        self._task = task_file.simulated(self.simulator, database)
        self.configure(**task or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.kill()
        self.simulator.stop()

    def configure(self, **task: object) -> None:
        """Replace keys of the task; the next start reads them."""
        self._task |= task
        task_file.write(self.commands.file, self.name, self._task)

    def set_worker_id(self, name: str) -> None:
        """Give the task a worker id, which the next start takes unless it is told another."""
        self.configure(kcl={**self._task["kcl"], "worker_id": name})

    @property
    def lease_table(self) -> str:
        return APPLICATION_PREFIX + self.name

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of the product's commands on this task, to its end."""
        return self.commands.run(name, *words)

    def status(self) -> dict[str, Any]:
        """What ``status --json`` says of the task."""
        return self.commands.status()

    def start(self, name: str = "worker-1", *flags: str) -> Worker:
        """Start a worker."""
        logs = self.folder / name
        command = self.commands.line("run", "--workerId", name, "--log-dir", str(logs), *flags)
        said = logs / f"{self.name}@{name}-connectors.log"
        worker = Worker(command, logs / "run.log", said, name=name)
        worker.start()
        self.workers.append(worker)
        return worker

    def started(self, name: str = "worker-1", *flags: str) -> Worker:
        """Start a worker and wait until it writes."""
        arrives = self.more_writes()
        worker = self.start(name, *flags)
        until(lambda: arrives() or not worker.running(), f"{name} writes", 90)
        assert worker.running(), worker.log()
        return worker

    def more_writes(self, calls: int = 1) -> Callable[[], bool]:
        """A condition: the destination answered that many more calls than by now."""
        enough = self.writes() + calls
        return lambda: self.writes() >= enough

    def more_changes(self, changes: int) -> Callable[[], bool]:
        """A condition: more changes than that were made at the source since now."""
        status = self.simulator.status
        enough = status()["changes"] + changes
        return lambda: bool(status()["changes"] > enough)

    def writes(self) -> int:
        """Calls that reached the destination to write."""
        return int(self.simulator.status()["destination"]["calls"].get("BatchWriteItem", 0))

    def caught_up(self, seconds: float = 60.0) -> float:
        """Wait until no key is behind; give the seconds that it took. Stops the writing."""
        self.simulator.control(load={"rate": 0})
        status = self.simulator.status
        return until(lambda: status()["behind"] == 0, "the destination has every change", seconds)

    def leases(self) -> dict[str, dict[str, Any]]:
        """The lease table's rows by lease key, their values without types."""
        return local_tables.leases(self._kcl, self.lease_table)

    def set_checkpoint(self, shard: str, checkpoint: str) -> None:
        """Write over a lease's checkpoint by hand."""
        self.set_lease(shard, checkpoint=checkpoint)

    def set_lease(self, shard: str, **attributes: str | int) -> None:
        """Write over attributes of a lease by hand."""
        kinds = {str: "S", int: "N"}
        self._kcl.update_item(
            TableName=self.lease_table,
            Key={"leaseKey": {"S": shard}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in attributes),
            ExpressionAttributeValues={
                f":{name}": {kinds[type(to)]: str(to)} for name, to in attributes.items()
            },
        )

    def let_go(self) -> None:
        """Take every lease from its owner, for the leader to give it to somebody."""
        for shard in self.leases():
            self._kcl.update_item(
                TableName=self.lease_table,
                Key={"leaseKey": {"S": shard}},
                UpdateExpression="REMOVE leaseOwner ADD leaseCounter :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    def leave_report(self, name: str, at: float) -> None:
        """Leave the report of a worker that is gone, as of a moment."""
        table = f"{self.lease_table}-WorkerMetricStats"
        report = next(local_tables.items(self._kcl, table))
        gone = {"wid": {"S": name}, "lut": {"N": str(int(at))}}
        self._kcl.put_item(TableName=table, Item=report | gone)

    def drop_reports(self) -> None:
        """Delete the table in which the workers report."""
        self._kcl.delete_table(TableName=f"{self.lease_table}-WorkerMetricStats")

    def owners(self) -> dict[str, str]:
        """Who owns each lease whose shard is not read to its end."""
        return {
            key: str(lease.get("leaseOwner"))
            for key, lease in self.leases().items()
            if lease["checkpoint"] != "SHARD_END"
        }

    def leader(self) -> str | None:
        """The worker that holds the leader's lock."""
        table = f"{self.lease_table}-CoordinatorState"
        rows = local_tables.items(self._kcl, table)
        return next((row["ownerName"]["S"] for row in rows if "ownerName" in row), None)


class Stories(Protocol):
    """Makes a story; see :class:`Story` for the arguments."""

    def __call__(self, task: TaskKeys | None = None, /, **simulator: Option) -> Story: ...


class Tell(Protocol):
    """Adds a row to the table of scripts/drills: the fault, its story, and the verdict on it."""

    def __call__(
        self,
        fault: str,
        story: Story,
        verdict: dict[str, Any],
        repeats: int = 1,
        measured: str = "",
    ) -> None: ...


def assert_replicated(verdict: dict[str, Any]) -> None:
    """Both ends are equal, and no key was ever written by one who no longer owned it."""
    assert verdict["equal"], verdict["examples"]
    assert verdict["stale"] == verdict["regressed"] == 0, verdict["backwards"]
