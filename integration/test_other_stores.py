"""The product on implementations of DynamoDB that are neither AWS's nor ours.

A moto server is source, with its own stream, destination and the place of KCL's tables; dynalite,
which has no streams, is a destination.
"""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from integration import local_tables, other_stores, task_file
from integration.clients import client
from integration.commands import Commands
from integration.local_tables import DESTINATION_REGION, SOURCE_REGION, STREAM, Keys
from integration.simulator.items import Item
from integration.until import until
from integration.worker import Worker
from kcl_processor.demo.items import every_type
from kcl_processor.errors import ExitCode

KEYS: Keys = (("pk", "S"), ("at", "N"))
RULES = {
    "where": "version > `0`",
    "exclude": ["binary"],
    "rename": {"words": "text"},
    "set": {"id": "join('#', [pk, to_string(at)])", "origin": "'us'"},
}
# One number in three spellings; moto gives each back as it was written.
SPELLINGS = ("1.50", "1.5", "15E-1")

_plain = TypeDeserializer().deserialize


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with other_stores.moto() as url:
        yield url


@pytest.fixture(scope="module")
def dynalite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with other_stores.dynalite(tmp_path_factory.mktemp("dynalite")) as url:
        yield url


@pytest.fixture(params=["moto", "dynalite"])
def destination(request: pytest.FixtureRequest) -> str:
    """The URL of each store in turn."""
    return str(request.getfixturevalue(request.param))


class Between:
    """A source on one store and a destination on another; KCL's tables are with the source."""

    def __init__(self, source: str, destination: str, folder: Path, **task: object) -> None:
        self.table = f"orders-{uuid.uuid4().hex[:8]}"
        self.source = client("dynamodb", source, SOURCE_REGION)
        self.replica = client("dynamodb", destination, DESTINATION_REGION)
        self.folder = folder
        self.commands = Commands(folder / "tasks.yml", folder / "state")
        settings = task_file.between(source, destination, self.table)
        task_file.write(self.commands.file, self.table, settings | task)

    def run(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of the product's commands; what it says is seen where a test fails."""
        done = self.commands.run(name, *words)
        print(name, *words, done.returncode, done.stdout, done.stderr)
        return done

    def verify(self, *words: str) -> int:
        """The exit code of a comparison, which waits for nothing on its way."""
        return self.run("verify", "--patience", "0", *words).returncode

    def put(self, number: int, version: int, at: str = "1.50") -> None:
        """Put an item of every type at the source."""
        item = every_type(f"k{number}", version) | {"at": {"N": at}}
        self.source.put_item(TableName=self.table, Item=item)

    def delete(self, number: int, at: str = "1.50") -> None:
        """Delete an item at the source."""
        self.source.delete_item(TableName=self.table, Key=key(number, at))

    def expected(self) -> list[dict[str, Any]]:
        """What the source holds, by value."""
        return read(self.source, self.table)

    def held(self) -> list[dict[str, Any]]:
        """What the destination holds, by value."""
        return read(self.replica, self.table)

    def worker(self) -> Worker:
        """A daemon."""
        command = self.commands.line("run", "--log-dir", str(self.folder))
        return Worker(command, self.folder / "run.log")


def key(number: int, at: str = "1.50") -> Item:
    return {"pk": {"S": f"k{number}"}, "at": {"N": at}}


def read(side: Any, table: str) -> list[dict[str, Any]]:
    """A table's items by value: numbers have no spelling, sets no order."""
    items = [
        {name: _plain(value) for name, value in item.items()}
        for item in local_tables.items(side, table)
    ]
    return sorted(items, key=lambda item: str(item.get("id", item["pk"])))


def until_equal(expected: Callable[[], object], held: Callable[[], object]) -> None:
    """Wait until a destination holds what is expected of it."""
    until(lambda: held() == expected(), "the destination is as the source", 60, every=0.5)


def test_prepared_copied_followed_compared_and_repaired(
    moto: str, destination: str, tmp_path: Path
) -> None:
    """From an empty place to a replica that a killed daemon resumes, item by item."""
    tables = Between(moto, destination, tmp_path)
    local_tables.create(tables.source, tables.table, KEYS)
    for number in range(60):
        tables.put(number, 0)
    prepared = tables.run("prepare", "--yes")
    assert prepared.returncode == ExitCode.OK, prepared.stderr
    examined = tables.run("doctor")
    assert examined.returncode == ExitCode.OK
    assert ("same tables in every region" in examined.stdout) is (moto != destination)
    assert tables.run("copy", "--force").returncode == ExitCode.OK
    assert tables.held() == tables.expected()

    with tables.worker() as daemon:
        for number in range(20):
            for version, at in enumerate(SPELLINGS, 1):
                tables.put(number, version, at)
            tables.delete(20 + number, SPELLINGS[number % 3])
        until_equal(tables.expected, tables.held)
        daemon.kill()
    for number in range(40, 50):
        tables.put(number, 9)
        tables.delete(number + 10)
    with tables.worker() as daemon:
        until_equal(tables.expected, tables.held)
        assert daemon.stop() == 0
    assert len(tables.held()) == 30
    assert tables.verify() == ExitCode.OK

    tables.replica.delete_item(TableName=tables.table, Key=key(0))
    planted = every_type("k1", 77) | key(1), every_type("extra", 1) | key(99)
    for item in planted:
        tables.replica.put_item(TableName=tables.table, Item=item)
    assert tables.verify() == ExitCode.CRASH
    assert tables.verify("--repair", "--delete-extra") == ExitCode.OK
    assert tables.held() == tables.expected()


def ruled(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the rules say of the source's items."""
    laid = []
    for item in items:
        if item["version"] > 0:
            kept = {name: value for name, value in item.items() if name not in ("binary", "text")}
            made = {"id": f"{item['pk']}#1.5", "origin": "us", "words": item["text"]}
            laid.append(kept | made)
    return sorted(laid, key=lambda item: str(item["id"]))


@pytest.mark.parametrize(
    "destination", ["moto", pytest.param("dynalite", marks=pytest.mark.drill)], indirect=True
)
def test_rules_hold_for_copy_stream_comparison_and_repair(
    moto: str, destination: str, tmp_path: Path
) -> None:
    """Items that enter and leave the filter, on a destination of another key."""
    tables = Between(moto, destination, tmp_path, transform=RULES)
    local_tables.create(tables.source, tables.table, KEYS, StreamSpecification=STREAM)
    local_tables.create(tables.replica, tables.table, (("id", "S"),))
    until(lambda: active(tables), "the destination is there", 20)
    for number in range(30):
        tables.put(number, number % 2)

    def expected() -> list[dict[str, Any]]:
        return ruled(tables.expected())

    sampled = tables.run("transform", "--sample", "3")
    assert sampled.returncode == ExitCode.OK, sampled.stderr
    assert tables.run("copy", "--force").returncode == ExitCode.OK
    assert tables.held() == expected()
    with tables.worker() as daemon:
        for number in range(10):
            tables.put(number, (number + 1) % 2, "15E-1")
            tables.delete(number + 20)
        until_equal(expected, tables.held)
        assert daemon.stop() == 0
    first = next(local_tables.items(tables.replica, tables.table))
    changed = first | {"list": {"L": [{"S": "another"}]}}
    tables.replica.put_item(TableName=tables.table, Item=changed)
    assert tables.verify() == ExitCode.CRASH
    assert tables.verify("--repair") == ExitCode.OK
    assert tables.held() == expected()


def active(tables: Between) -> bool:
    described = tables.replica.describe_table(TableName=tables.table)
    return bool(described["Table"]["TableStatus"] == "ACTIVE")


def test_a_store_without_streams_is_no_source(moto: str, dynalite: str, tmp_path: Path) -> None:
    """Each command says so, and none turns a stream on that is not to be had."""
    tables = Between(dynalite, moto, tmp_path)
    local_tables.create(tables.source, tables.table, KEYS)
    for said in (tables.run("prepare", "--yes"), tables.run("run")):
        assert said.returncode == ExitCode.SOURCE
        assert "has no streams" in said.stderr
    assert "has no streams" in tables.run("doctor").stdout
