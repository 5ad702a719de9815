"""Tables of DynamoDB Local for the tests of copy and verify: created, filled, changed, compared."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.replica import DESTINATION_REGION, SOURCE_REGION, client, environment
from integration.simulator.client import SimulatorProcess

Item = dict[str, Any]

HASH_ONLY = (("pk", "S"),)
HASH_AND_RANGE = (("pk", "S"), ("sk", "N"))
BINARY_KEYS = (("pk", "B"), ("sk", "B"))


@dataclass
class Commands:
    """``kcl-processor`` with a configuration and a state folder."""

    config: Path
    folder: Path

    def run(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run ``kcl-processor`` and wait for it."""
        return subprocess.run(
            self.command(*arguments),
            env=environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``kcl-processor``."""
        return subprocess.Popen(
            self.command(*arguments),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, command: str, *arguments: str) -> list[str]:
        """The command line."""
        state = ("--state-dir", str(self.folder)) if command in ("copy", "run", "start") else ()
        program = [sys.executable, "-m", "kcl_processor"]
        return [*program, command, "-c", str(self.config), *state, *arguments]


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
    keys: tuple[tuple[str, str], ...] = HASH_AND_RANGE
    destination_url: str | None = None

    def __post_init__(self) -> None:
        self.table = f"{self.name}-{uuid.uuid4().hex[:8]}"
        self.source = client(self.url, SOURCE_REGION)
        self.replica = client(self.url, DESTINATION_REGION)
        source = {"region": SOURCE_REGION, "table": self.table, "endpoint": self.url}
        destination = {
            "region": DESTINATION_REGION,
            "table": self.table,
            "endpoint": self.destination_url or self.url,
        }
        task = {
            "source": source,
            "destination": destination,
            "kcl": {"application_name": f"leases-{self.table}"},
            "metrics": {"publish": False},
        }
        self.commands = commands(self.folder, self.name, task)
        self.run, self.start = self.commands.run, self.commands.start

    def create(self, **capacity: Any) -> None:
        """Create both tables, the source with its stream; ``capacity`` is the destination's."""
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self.create_table(self.source, StreamSpecification=stream)
        self.create_table(self.replica, **capacity)

    def create_table(self, side: Any, **more: Any) -> None:
        """Create the table of one side."""
        kinds = zip(self.keys, ("HASH", "RANGE"), strict=False)
        side.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": key[0], "KeyType": kind} for key, kind in kinds],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind} for name, kind in self.keys
            ],
            **({"BillingMode": "PAY_PER_REQUEST"} | more),
        )

    def key(self, number: int) -> Item:
        """The key of item ``number``."""
        values = {"S": f"item#{number:06d}", "N": str(number % 7), "B": number.to_bytes(4, "big")}
        return {name: {kind: values[kind]} for name, kind in self.keys}

    def item(self, number: int, version: int = 0) -> Item:
        """Item ``number``, with every attribute type."""
        return {**self.key(number), **attributes(version)}

    def fill(self, numbers: Sequence[int], version: int = 0) -> None:
        """Put items at the source, in batches, from several threads."""

        def put(start: int) -> None:
            batch = [self.item(number, version) for number in numbers[start : start + 25]]
            left = {self.table: [{"PutRequest": {"Item": item}} for item in batch]}
            while left:
                left = self.source.batch_write_item(RequestItems=left)["UnprocessedItems"]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(put, range(0, len(numbers), 25)))

    def put(self, side: Any, number: int, version: int = 0, **more: Any) -> None:
        """Put one item."""
        side.put_item(TableName=self.table, Item={**self.item(number, version), **more})

    def delete(self, side: Any, number: int) -> None:
        """Delete one item."""
        side.delete_item(TableName=self.table, Key=self.key(number))

    def contents(self, side: Any) -> dict[str, Item]:
        """All items of one side, by key, sets sorted, for comparing."""
        pages = side.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True)
        names = [name for name, _ in self.keys]
        return {
            repr([item[name] for name in names]): sorted_sets(item)
            for page in pages
            for item in page["Items"]
        }

    def equal(self) -> bool:
        """Whether both sides hold the same items."""
        return self.contents(self.source) == self.contents(self.replica)


def attributes(version: int) -> Item:
    """Every attribute type; odd versions have one attribute more."""
    return {
        "ver": {"N": str(version)},
        "text": {"S": 'größe "q" \\ \n 漢字 😀 ' + "x" * 300},
        "empty": {"S": ""},
        "amount": {"N": "-12345678901234567890.123456789012345678"},
        "blob": {"B": bytes(range(48))},
        "flag": {"BOOL": True},
        "nothing": {"NULL": True},
        "list": {"L": [{"S": "a"}, {"N": "1.5"}, {"L": []}, {"M": {"b": {"B": b"\x00\xff"}}}]},
        "map": {"M": {"deep": {"M": {"n": {"N": "7"}, "none": {"NULL": True}}}, "e": {"M": {}}}},
        "words": {"SS": ["alpha", "beta", "gamma"]},
        "numbers": {"NS": ["-3", "0.25", "42"]},
        "blobs": {"BS": [b"\x00\x01\x02", b"\xfe\xff"]},
        **({"odd": {"S": "x"}} if version % 2 else {}),
    }


def sorted_sets(value: Any) -> Any:
    """The value with its sets sorted and its binaries in base64."""
    if isinstance(value, dict):
        return {
            name: sorted(map(sorted_sets, content))
            if name in ("SS", "NS", "BS")
            else sorted_sets(content)
            for name, content in value.items()
        }
    if isinstance(value, list):
        return [sorted_sets(member) for member in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def commands(folder: Path, name: str, task: dict[str, Any]) -> Commands:
    """Write a configuration of one task."""
    path = folder / "tasks.yml"
    # JSON is YAML.
    path.write_text(json.dumps({"tasks": {name: task}}), encoding="utf-8")
    return Commands(path, folder)


def copy_command(simulator: SimulatorProcess, kcl: str, folder: Path) -> Commands:
    """The commands for a simulated source and destination; KCL's tables are elsewhere."""
    ready = simulator.ready
    sides = (
        ("source", simulator.source_url, ready["table"]),
        ("destination", simulator.destination_url, ready["destination_table"]),
    )
    task: dict[str, Any] = {
        side: {"region": ready["region"], "endpoint": url, "table": table}
        for side, url, table in sides
    }
    task["kcl"] = {"region": ready["region"], "endpoint": kcl}
    return commands(folder, "orders", task)
