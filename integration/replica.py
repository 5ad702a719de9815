"""Two tables on DynamoDB Local and the daemon between them, as an operator would start it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
}
SOURCE_REGION, DESTINATION_REGION = "us-east-1", "eu-west-1"


def client(url: str, region: str) -> Any:
    """A boto3 client for one region of DynamoDB Local."""
    return boto3.client(
        "dynamodb",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


class Replica:
    """A source table with a stream, a destination, and a folder for everything of the task."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.table = f"table-{uuid.uuid4().hex[:8]}"
        self.task = f"task-{self.table}"
        self.source = client(url, SOURCE_REGION)
        self.destination = client(url, DESTINATION_REGION)
        schema: dict[str, Any] = {
            "TableName": self.table,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self.source.create_table(**schema, StreamSpecification=stream)
        self.destination.create_table(**schema)

    def flags(self) -> list[str]:
        """The original library's flags for this replica, and where its files go."""
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
        return ["--dontPublishCloudwatch", *(word for pair in pairs.items() for word in pair)]

    def config(self) -> Path:
        """The same replica as a YAML file."""
        path = self.folder / "tasks.yml"
        source = {"region": SOURCE_REGION, "table": self.table, "endpoint": self.url}
        destination = {**source, "region": DESTINATION_REGION}
        task = {"source": source, "destination": destination, "metrics": {"publish": False}}
        # JSON is YAML.
        path.write_text(json.dumps({"tasks": {self.task: task}}), encoding="utf-8")
        return path

    def items(self, side: Any) -> dict[str, Any]:
        """All items of one side by key."""
        pages = side.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        return {item["pk"]["S"]: item for page in pages for item in page["Items"]}

    def put(self, name: str, **attributes: Any) -> None:
        """Put one item on the source."""
        self.source.put_item(TableName=self.table, Item={"pk": {"S": name}, **attributes})

    def delete(self, name: str) -> None:
        """Delete one item on the source."""
        self.source.delete_item(TableName=self.table, Key={"pk": {"S": name}})

    def until_equal(self, seconds: float = 60.0) -> None:
        """Wait until both sides hold the same items."""

        def equal() -> bool:
            return self.items(self.source) == self.items(self.destination)

        until(equal, seconds, f"{self.table} is equal on both sides")

    def leases(self) -> list[dict[str, Any]]:
        """The rows of the checkpoint table."""
        table = f"DynamoDBCrossRegionReplication{self.task}"
        rows: list[dict[str, Any]] = self.source.scan(TableName=table, ConsistentRead=True)["Items"]
        return rows


def environment() -> dict[str, str]:
    """This environment with local credentials, and this Python's programs on the path."""
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", "")
    return {**os.environ, **CREDENTIALS, "PATH": path}


class Daemon:
    """A daemon in a process group of its own, which ends with the block."""

    def __init__(self, *arguments: str, log: Path, command: list[str] | None = None) -> None:
        self._log = log
        self._command = command or [sys.executable, "-m", "kcl_processor", "run", *arguments]

    def __enter__(self) -> Daemon:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                cwd=self._log.parent,
                start_new_session=True,
            )
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill everything of it with SIGKILL."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, wait, return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def words(self) -> str:
        """What it has written on stdout and stderr."""
        return self._log.read_text(errors="replace")


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll a condition; fail with ``what`` did not come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
