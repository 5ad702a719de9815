"""Two tables on DynamoDB Local and the daemon between them, as an operator would start it."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from integration import local_tables, task_file
from integration.clients import Client, client
from integration.commands import Commands
from integration.local_tables import DESTINATION_REGION, HASH_ONLY, SOURCE_REGION, STREAM
from integration.simulator.items import Item
from integration.until import until
from integration.worker import Worker
from kcl_processor.config.task import APPLICATION_PREFIX


class Replica:
    """A source table with a stream, a destination, and a folder for everything of the task."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.table = f"table-{uuid.uuid4().hex[:8]}"
        self.task = f"task-{self.table}"
        self.source = client("dynamodb", url, SOURCE_REGION)
        self.destination = client("dynamodb", url, DESTINATION_REGION)
        local_tables.create(self.source, self.table, HASH_ONLY, StreamSpecification=STREAM)
        local_tables.create(self.destination, self.table, HASH_ONLY)

    def worker(self, console: str = "run.log", *more: str) -> Worker:
        """A daemon that gets the original library's flags, where its files go, and more flags."""
        pairs = {
            "--sourceRegion": SOURCE_REGION,
            "--sourceTable": self.table,
            "--sourceEndpoint": self.url,
            "--destinationRegion": DESTINATION_REGION,
            "--destinationTable": self.table,
            "--destinationEndpoint": self.url,
            "--kclRegion": SOURCE_REGION,
            "--kclEndpoint": self.url,
            "--taskName": self.task,
            "--state-dir": str(self.folder / "state"),
            "--log-dir": str(self.folder),
        }
        flags = ["--dontPublishCloudwatch", *(word for pair in pairs.items() for word in pair)]
        command = [sys.executable, "-m", "kcl_processor", "run", *flags, *more]
        return Worker(command, self.folder / console)

    def commands(self) -> Commands:
        """The same replica as a YAML file, and the commands that read it."""
        settings = {
            "source": task_file.side(SOURCE_REGION, self.table, self.url),
            "destination": task_file.side(DESTINATION_REGION, self.table, self.url),
            "metrics": {"publish": False},
        }
        file = self.folder / "tasks.yml"
        task_file.write(file, self.task, settings)
        return Commands(file, self.folder / "state")

    def items(self, side: Client) -> dict[str, Item]:
        """All items of one side by key."""
        return {item["pk"]["S"]: item for item in local_tables.items(side, self.table)}

    def put(self, name: str, **attributes: object) -> None:
        """Put one item on the source."""
        self.source.put_item(TableName=self.table, Item={"pk": {"S": name}, **attributes})

    def delete(self, name: str) -> None:
        """Delete one item on the source."""
        self.source.delete_item(TableName=self.table, Key={"pk": {"S": name}})

    def until_equal(self) -> None:
        """Wait until both sides hold the same items."""

        def equal() -> bool:
            return self.items(self.source) == self.items(self.destination)

        until(equal, f"{self.table} is equal on both sides")

    def leases(self) -> list[Item]:
        """The rows of the checkpoint table."""
        return list(local_tables.items(self.source, APPLICATION_PREFIX + self.task))
