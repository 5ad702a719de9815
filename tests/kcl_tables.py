"""Checkpoint tables as a real run left them, put into moto; a stream that goes with them."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from kcl_processor.config.task import Kcl, Metrics, Side, Source, Task
from kcl_processor.fleet.kcl_tables import make_kcl_tables, table_names
from kcl_processor.fleet.leases import Lease, lease, scan
from kcl_processor.fleet.stream import StreamShard
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.preflight import check_destination, check_source

CLAIM = "KclProcessorReplica"
GOLDEN = Path(__file__).parent / "golden"

# An item of a table as boto3 reads and takes it.
Row = dict[str, dict[str, Any]]


def snapshot(name: str) -> tuple[list[Row], list[Row], list[Row]]:
    """The three tables of a run with KCL 3.1.3: lease rows, coordinator rows, workers' rows.

    Two workers, three shards read to their end (one of them split), five open ones. In
    ``dead-worker`` the worker ``worker-2`` had been killed a second before. The claim is left out:
    it is of the tables of that run.
    """
    leases, coordinator, workers = json.loads((GOLDEN / f"{name}.json").read_text()).values()
    return leases, [row for row in coordinator if row["key"]["S"] != CLAIM], workers


def as_kcl_1(row: Row) -> Row:
    """The row as KCL 1.7.5, the original library's, would have written it."""
    known = (
        *("leaseKey", "leaseOwner", "leaseCounter", "checkpoint", "checkpointSubSequenceNumber"),
        *("ownerSwitchesSinceCheckpoint", "parentShardId"),
    )
    return {name: row[name] for name in known if name in row}


def as_single_table(leases: list[Row], coordinator: list[Row], workers: list[Row]) -> list[Row]:
    """The rows of all three tables as KCL 3.5 keeps them in one."""
    leaders = [row for row in coordinator if row["key"]["S"] == "Leader"]
    return [
        *({**row, "entityType": {"S": "LEASE"}} for row in leases),
        *(_in_one(row, "key", "LEADER") for row in leaders),
        *(_in_one(row, "wid", "WORKER_METRIC_STATS") for row in workers),
    ]


def _in_one(row: Row, key: str, entity: str) -> Row:
    rest = {name: value for name, value in row.items() if name != key}
    return {**rest, "leaseKey": row[key], "entityType": {"S": entity}}


def lease_row(
    shard: str, checkpoint: str = "5", owner: str | None = "w", parents: Sequence[str] = ()
) -> Lease:
    """A lease as a row of the table says it."""
    return Lease(shard, shard, owner, checkpoint, 1, 0, tuple(parents))


def shards_of(rows: Iterable[Row]) -> list[StreamShard]:
    """The stream's shards that go with lease rows: those with children are closed."""
    leases = [lease(row) for row in rows]
    parents = {parent for one in leases for parent in one.parents}
    return [
        StreamShard(one.shard, next(iter(one.parents), None), open=one.shard not in parents)
        for one in leases
    ]


def make_task(url: str = "http://127.0.0.1:9", **options: Any) -> Task:
    """A task that no other test shares tables with."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    kcl = Kcl("us-east-1", url, f"App-{name}", "worker-1", options.pop("properties", {}))
    source = Source("us-east-1", name, url)
    destination = options.pop("destination", Side("us-east-1", f"{name}-replica", url))
    metrics = options.pop("metrics", Metrics(endpoint=url))
    return Task(name, source, destination, kcl, metrics=metrics, **options)


def fill(
    task: Task,
    leases: Iterable[Row],
    coordinator: Iterable[Row] = (),
    workers: Iterable[Row] = (),
) -> Any:
    """Make a task's KCL tables at its endpoint and put rows in; the client that did it."""
    make_kcl_tables(task)
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=task.kcl.endpoint)
    names = table_names(task)
    for table, rows in (
        (names.leases, leases),
        (names.coordinator, coordinator),
        (names.workers, workers),
    ):
        writes = [{"PutRequest": {"Item": row}} for row in rows]
        if writes:
            client.batch_write_item(RequestItems={table: writes})
    return client


def identity(task: Task) -> Identity:
    """What a task is, as its tables are."""
    facts = check_source(task.source)
    found, _ = check_destination(task, facts.keys, facts.table)
    return Identity(facts.table, facts.stream_arn, found)


def rows_in(client: Any, table: str) -> list[Row]:
    """All items of a table that is there."""
    rows = scan(client, table)
    assert rows is not None, f"there is no table {table}"
    return rows


def settle_stream(table: str) -> None:
    """A stream that a test has just turned on, on the moto server of this process, has been on for
    a while: nobody needs to wait until all that a scan could miss is in it."""
    made = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].tables[table]
    assert made.stream_shard
    made.stream_shard.created_on -= dt.timedelta(minutes=1)


def make_source_and_destination(task: Task) -> Any:
    """Make both tables, with one key ``pk``, and the source's stream."""
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=task.source.endpoint)
    shape = {
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client.create_table(TableName=task.source.table, StreamSpecification=stream, **shape)
    client.create_table(TableName=task.destination.table, **shape)
    return client
