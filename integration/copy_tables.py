"""Tables of DynamoDB Local for the tests of copy and verify: created, filled, changed, compared."""

from __future__ import annotations

import random
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from integration import local_tables, task_file
from integration.clients import Client, client
from integration.commands import Commands
from integration.drill_table import Row
from integration.local_tables import (
    DESTINATION_REGION,
    HASH_AND_RANGE,
    SOURCE_REGION,
    STREAM,
    Keys,
)
from integration.simulator.client import SimulatorProcess
from integration.simulator.items import Item, attributes, canonical
from integration.until import until
from integration.worker import Worker
from kcl_processor.errors import ExitCode


@dataclass
class Pair:
    """A source with its stream on and an empty destination.

    Attributes:
        url: DynamoDB Local's.
        keys: name and type of the hash key, then of the range key if there is one.
        folder: for the configuration and the state.
    """

    url: str
    folder: Path
    name: str = "orders"
    keys: Keys = HASH_AND_RANGE

    def __post_init__(self) -> None:
        self.table = f"{self.name}-{uuid.uuid4().hex[:8]}"
        self.source = client("dynamodb", self.url, SOURCE_REGION)
        self.replica = client("dynamodb", self.url, DESTINATION_REGION)
        self.commands = Commands(self.folder / "tasks.yml", self.folder)
        self.settings = task_file.between(self.url, self.url, self.table)
        task_file.write(self.commands.file, self.name, self.settings)

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of the product's commands on this task, to its end."""
        return self.commands.run(name, *words)

    @contextmanager
    def at_work(self, name: str, *words: str) -> Iterator[Worker]:
        """A daemon, started by this command; it is alive at the block's end, and then stops."""
        line = self.commands.line(name, "--log-dir", str(self.folder), *words)
        with Worker(line, self.folder / f"{name}.log") as worker:
            yield worker
            assert worker.running(), worker.log()
            assert worker.stop() == ExitCode.OK

    def create(self) -> None:
        """Create both tables, the source with its stream."""
        local_tables.create(self.source, self.table, self.keys, StreamSpecification=STREAM)
        local_tables.create(self.replica, self.table, self.keys)

    def create_filled(self, numbers: Sequence[int], version: int = 0) -> None:
        """The same, with items at the source that are older than its stream."""
        local_tables.create(self.source, self.table, self.keys)
        local_tables.create(self.replica, self.table, self.keys)
        self.fill(numbers, version)
        self.source.update_table(TableName=self.table, StreamSpecification=STREAM)

    def key(self, number: int) -> Item:
        """The key of item ``number``."""
        values = {"S": f"item#{number:06d}", "N": str(number % 7), "B": number.to_bytes(4, "big")}
        return {name: {kind: values[kind]} for name, kind in self.keys}

    def item(self, number: int, version: int = 0) -> Item:
        """Item ``number``, with every attribute type."""
        return {**self.key(number), "ver": {"N": str(version)}, **attributes(version, "x" * 300)}

    def fill(self, numbers: Sequence[int], version: int = 0) -> None:
        """Put items at the source, in batches, from several threads."""

        def put(start: int) -> None:
            batch = [self.item(number, version) for number in numbers[start : start + 25]]
            left = {self.table: [{"PutRequest": {"Item": item}} for item in batch]}
            while left:
                left = self.source.batch_write_item(RequestItems=left)["UnprocessedItems"]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(put, range(0, len(numbers), 25)))

    def put(self, side: Client, number: int, version: int = 0, **more: object) -> None:
        """Put one item."""
        side.put_item(TableName=self.table, Item={**self.item(number, version), **more})

    def delete(self, side: Client, number: int) -> None:
        """Delete one item."""
        side.delete_item(TableName=self.table, Key=self.key(number))

    def replicates(self, number: int) -> bool:
        """Whether item ``number`` arrives at the replica, put now at the source."""
        version = random.randrange(1_000_000)
        self.put(self.source, number, version)

        def arrived() -> bool:
            asked = self.replica.get_item(TableName=self.table, Key=self.key(number))
            return bool(asked.get("Item", {}).get("ver") == {"N": str(version)})

        try:
            until(arrived, "the marker arrives", 10)
        except TimeoutError:
            return False
        return True

    def contents(self, side: Client) -> dict[str, Item]:
        """All items of one side, by key, sets sorted, for comparing."""
        names = [name for name, _ in self.keys]
        return {
            repr([item[name] for name in names]): canonical(item)
            for item in local_tables.items(side, self.table)
        }

    def row(self, fault: str, repeats: int, changes: int, measured: str) -> Row:
        """A drill's row, by a comparison of both sides item by item."""
        source, replica = self.contents(self.source), self.contents(self.replica)
        differing = [
            key for key in source.keys() | replica.keys() if source.get(key) != replica.get(key)
        ]
        return Row(fault, repeats, changes, len(differing), 0, 0, 0.0, measured)

    def equal(self) -> bool:
        """Whether both sides hold the same items."""
        return self.contents(self.source) == self.contents(self.replica)


def copy_command(
    simulator: SimulatorProcess, kcl: str, folder: Path, task: str = "orders"
) -> Commands:
    """The commands for a simulated source and destination; KCL's tables are elsewhere."""
    commands = Commands(folder / "tasks.yml", folder)
    task_file.write(commands.file, task, task_file.simulated(simulator, kcl))
    return commands
