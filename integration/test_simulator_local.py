"""The simulator with DynamoDB Local behind it: lease tables, and a real destination table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from integration import local_tables
from integration.clients import client, refusal
from integration.local_tables import LEASE_KEYS
from integration.simulator.client import SimulatorProcess
from integration.simulator.items import key_attributes

# The kernel's words for a socket that listens, and for 127.0.0.1 (the second as an IPv6 address).
LISTENS, LOOPBACK = "0A", {"0100007F", "0000000000000000FFFF00000100007F"}


def listened_on(port: int) -> set[str]:
    """The addresses on which a port is listened on, as the kernel writes them."""
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table]
    places = [row[1].split(":") for row in rows if row[3] == LISTENS]
    return {address for address, found in places if int(found, 16) == port}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with local_tables.database() as url:
        yield url


def test_the_database_is_this_machines_alone(database: str) -> None:
    """As the demo's is: it has no password."""
    port = urlsplit(database).port
    assert port
    assert listened_on(port) and listened_on(port) <= LOOPBACK


@pytest.mark.parametrize("local", [False, True])
def test_a_copy_is_equal_in_memory_and_in_dynamodb_local(database: str, *, local: bool) -> None:
    """Items of every type come back from either destination as the judge expects them."""
    with SimulatorProcess(
        behind=database, destination_local=local, preload=30, keys=20, delete_share=0.0
    ) as simulator:
        items = client("dynamodb", simulator.source_url).scan(TableName="source")["Items"]
        table = client("dynamodb", simulator.destination_url)
        for item in items:
            table.batch_write_item(RequestItems={"replica": [{"PutRequest": {"Item": item}}]})
        assert simulator.verdict()["equal"]
        assert table.scan(TableName="replica")["Count"] == len(items)
        key = {name: items[0][name] for name in ("pk", "sk")}
        table.delete_item(TableName="replica", Key=key)
        assert simulator.verdict()["examples"]["lost"] == [items[0]["pk"]["S"]]


def test_conditions_are_decided_by_dynamodb_local(database: str) -> None:
    """A conditional put that fails keeps its error code, and the judge does not count it."""
    with SimulatorProcess(
        behind=database, destination_local=True, destination_table="conditional"
    ) as simulator:
        simulator.control(change={"number": 1})
        table = client("dynamodb", simulator.destination_url)
        put = {
            "TableName": "conditional",
            "Item": key_attributes(1) | {"ver": {"N": "1"}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        table.put_item(**put)
        assert refusal(table.put_item, **put)["Code"] == "ConditionalCheckFailedException"
        assert simulator.verdict()["writes"] == 1


def test_lease_tables_are_made_through_the_source_port(database: str) -> None:
    """A table that is created through the simulator stands in DynamoDB Local."""
    with SimulatorProcess(behind=database) as simulator:
        local_tables.create(client("dynamodb", simulator.source_url), "leases", LEASE_KEYS)
        assert "leases" in client("dynamodb", database).list_tables()["TableNames"]
