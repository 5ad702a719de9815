"""What a story is told with: a simulated stream and destination, a task, and its daemons.

A story hurts a daemon, the stream or the destination, and then asks the simulator's judge whether
source and destination are equal and whether any key ever went backwards.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from integration.simulator.client import SimulatorProcess
from integration.simulator_clients import client
from integration.worker import CREDENTIALS, Worker

_names = itertools.count(1)


class Story:
    """A task whose source and destination are simulated, and its workers.

    Args:
        folder: for configuration, state and logs.
        database: DynamoDB Local's URL, for KCL's tables.
        task: keys of the task beside its two sides, as in the YAML file.
        simulator: options of the simulator.
    """

    def __init__(
        self, folder: Path, database: str, task: dict[str, Any] | None = None, **simulator: Any
    ) -> None:
        self.folder = folder
        self.database = database
        self.simulator = SimulatorProcess(**simulator)
        self.name = f"story{os.getpid()}x{next(_names)}"
        self.workers: list[Worker] = []
        self._file = folder / f"{self.name}.yml"
        ready = self.simulator.ready
        region = ready["region"]
        self._task: dict[str, Any] = {
            "source": {
                "region": region,
                "table": ready["table"],
                "endpoint": self.simulator.source_url,
            },
            "destination": {
                "region": region,
                "table": ready["destination_table"],
                "endpoint": self.simulator.destination_url,
            },
            "kcl": {"region": region, "endpoint": database},
            "metrics": {"publish": False},
        }
        self.configure(**task or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.kill()
        self.simulator.stop()

    def configure(self, **task: Any) -> None:
        """Replace keys of the task; the next start reads them."""
        self._task |= task
        # JSON is YAML.
        self._file.write_text(json.dumps({"tasks": {self.name: self._task}}))

    @property
    def state(self) -> Path:
        """The state directory of this host."""
        return self.folder / "state"

    @property
    def lease_table(self) -> str:
        return f"DynamoDBCrossRegionReplication{self.name}"

    def command(self, name: str, *words: str) -> list[str]:
        """The command line of one of the product's commands on this task."""
        program = [sys.executable, "-m", "kcl_processor", name, "-c", str(self._file)]
        return [*program, "--state-dir", str(self.state), *words]

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of the product's commands on this task, to its end."""
        return subprocess.run(
            self.command(name, *words),
            env={**os.environ, **CREDENTIALS},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, name: str = "worker-1", *flags: str) -> Worker:
        """Start a worker."""
        words = ["--workerId", name, "--log-dir", str(self.folder / name), *flags]
        worker = Worker(name, self.command("run", *words), self.folder / name, self.name)
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

    def writes(self) -> int:
        """Calls that reached the destination to write."""
        return int(self.simulator.status()["destination"]["calls"].get("BatchWriteItem", 0))

    def caught_up(
        self, seconds: float = 60.0, what: str = "the destination has every change"
    ) -> float:
        """Wait until no key is behind; give the seconds that it took. Stops the writing."""
        self.simulator.control(load={"rate": 0})
        return until(lambda: self.simulator.status()["behind"] == 0, what, seconds)

    def leases(self) -> dict[str, dict[str, Any]]:
        """The lease table's rows by lease key, their values without types."""
        pages = client("dynamodb", self.database).get_paginator("scan")
        found = pages.paginate(TableName=self.lease_table, ConsistentRead=True)
        return {
            row["leaseKey"]["S"]: {name: next(iter(value.values())) for name, value in row.items()}
            for page in found
            for row in page["Items"]
        }

    def set_checkpoint(self, shard: str, checkpoint: str) -> None:
        """Write over a lease's checkpoint by hand."""
        client("dynamodb", self.database).update_item(
            TableName=self.lease_table,
            Key={"leaseKey": {"S": shard}},
            UpdateExpression="SET checkpoint = :checkpoint",
            ExpressionAttributeValues={":checkpoint": {"S": checkpoint}},
        )

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
        rows = client("dynamodb", self.database).scan(TableName=table, ConsistentRead=True)["Items"]
        return next((row["ownerName"]["S"] for row in rows if "ownerName" in row), None)


def until(true: Callable[[], Any], what: str, seconds: float = 60.0) -> float:
    """Poll until something is true, and give the seconds that it took; or fail."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began


def assert_replicated(verdict: dict[str, Any]) -> None:
    """Both ends are equal, and no key was ever written by one who no longer owned it."""
    assert verdict["equal"], verdict["examples"]
    assert verdict["stale"] == verdict["regressed"] == 0, verdict["backwards"]
