"""Whose checkpoints a checkpoint table holds.

Two replicas that share a checkpoint table would each skip what the other has read. So the first
start writes down, beside KCL's own state, which stream is read and which table written, and every
later start compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError, OperatorError
from kcl_processor.fleet.kcl_tables import kcl_tables
from kcl_processor.launch.preflight import SourceFacts
from kcl_processor.state.dead_letters import append_durably

# KCL reads its own keys of the coordinator state table by name and passes over others.
_KEY = {"key": {"S": "KclProcessorReplica"}}
_ADOPT = "kcl-processor run --adopt, if these checkpoints are this task's all the same"


@dataclass(frozen=True)
class Identity:
    """What a task's checkpoints belong to."""

    source_table: str
    stream: str
    destination: str

    def __str__(self) -> str:
        return f"{self.stream} to {self.destination}"


def identity(facts: SourceFacts, destination_arn: str) -> Identity:
    """The identity of a task as found."""
    return Identity(facts.table_arn, facts.stream_arn, destination_arn)


def claim(task: Task, ours: Identity, adopt: bool, gaps: Path) -> None:
    """Write down whose the checkpoint table is, or make sure that it is ours.

    Args:
        adopt: take the table over, whatever it says.
        gaps: where a gap that is passed is noted.

    Raises:
        ConfigError: it belongs to another source or destination; both are named.
        GapError: it belongs to an older stream of the source, and the task stops on gaps.
    """
    client, table = clients.kcl_tables(task), kcl_tables(task).coordinator
    with clients.calling("dynamodb:GetItem", f"table {table}", OperatorError, "check kcl.endpoint"):
        item = client.get_item(TableName=table, Key=_KEY, ConsistentRead=True).get("Item")
    if item:
        _compare(task, _from_item(item), ours, adopt, gaps)
    elif not adopt:
        _refuse_foreign_leases(task, ours)
    with clients.calling("dynamodb:PutItem", f"table {table}", OperatorError, "check kcl.endpoint"):
        client.put_item(TableName=table, Item=_item(ours))


def _compare(task: Task, found: Identity, ours: Identity, adopt: bool, gaps: Path) -> None:
    if found == ours:
        return
    if (found.source_table, found.destination) != (ours.source_table, ours.destination):
        if adopt:
            return
        raise ConfigError(
            f"The checkpoint table {task.kcl.application_name} belongs to the replica {found}, "
            f"and this task is {ours}.",
            f"give the task another name; or {_ADOPT}",
        )
    if task.on_gap == "stop" and not adopt:
        raise GapError(
            f"The stream of {task.source} was turned off and on again: the checkpoints are of "
            f"{found.stream}, and the table's stream is {ours.stream}. What changed between the "
            f"last checkpoint and the new stream's start, {_start(ours.stream)}, is in neither.",
            f"kcl-processor run --adopt, then kcl-processor verify {task.name} --repair",
        )
    _note_gap(found, ours, gaps)


def _note_gap(found: Identity, ours: Identity, gaps: Path) -> None:
    """Write down that the stream changed, in the words in which the daemon notes gaps."""
    gap = {
        "at": _utc(datetime.now(UTC)),
        "shard": None,
        "checkpoint": found.stream,
        "from": None,
        "to": _start(ours.stream),
        "reason": "the stream was turned off and on again",
    }
    try:
        append_durably(gaps, orjson.dumps(gap) + b"\n")
    except OSError as error:
        raise GapError(
            f"A gap is to be passed and cannot be noted in {gaps}: {error.strerror}.",
            "make room there, or --state-dir with a folder of yours",
        ) from error


def _start(stream: str) -> str:
    """When a stream was turned on: its label, the last part of its ARN, is that time in UTC."""
    return stream.rpartition("/")[2] + "Z"


def _utc(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refuse_foreign_leases(task: Task, ours: Identity) -> None:
    """Accept leases without an identity (the original library writes none) by their shards."""
    shards = _lease_keys(task)
    if shards and not shards & _stream_shards(task, ours.stream):
        raise ConfigError(
            f"The checkpoint table {task.kcl.application_name} holds {len(shards)} leases, and "
            f"none is of a shard of {ours.stream}: they belong to another stream, or every one of "
            "their shards has left it.",
            f"give the task another name; or {_ADOPT}",
        )


def _lease_keys(task: Task) -> set[str]:
    table = task.kcl.application_name
    pages = clients.kcl_tables(task).get_paginator("scan")
    with clients.calling("dynamodb:Scan", f"table {table}", OperatorError, "check kcl.endpoint"):
        found = pages.paginate(
            TableName=table, ConsistentRead=True, ProjectionExpression="leaseKey"
        )
        return {item["leaseKey"]["S"] for page in found for item in page["Items"]}


def _stream_shards(task: Task, stream: str) -> set[str]:
    client, shards = clients.streams(task.source), set()
    page: dict[str, Any] = {"LastEvaluatedShardId": None}
    hint = "check source.streams_endpoint"
    with clients.calling("dynamodb:DescribeStream", f"stream {stream}", OperatorError, hint):
        while "LastEvaluatedShardId" in page:
            start = page["LastEvaluatedShardId"]
            after = {"ExclusiveStartShardId": start} if start else {}
            page = client.describe_stream(StreamArn=stream, **after)["StreamDescription"]
            shards |= {shard["ShardId"] for shard in page["Shards"]}
    return shards


def _item(ours: Identity) -> dict[str, Any]:
    return {
        **_KEY,
        "sourceTable": {"S": ours.source_table},
        "stream": {"S": ours.stream},
        "destination": {"S": ours.destination},
    }


def _from_item(item: dict[str, Any]) -> Identity:
    return Identity(item["sourceTable"]["S"], item["stream"]["S"], item["destination"]["S"])
