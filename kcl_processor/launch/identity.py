"""Whose checkpoints a checkpoint table holds.

Two replicas that share a checkpoint table would each skip what the other has read. So the first
start writes down, beside KCL's own state, which stream is read and which table written, and every
later start compares.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError, OperatorError, PermissionDenied
from kcl_processor.fleet.kcl_tables import kcl_tables
from kcl_processor.fleet.leases import Lease, lease, scan
from kcl_processor.launch.preflight import SourceFacts
from kcl_processor.state.dead_letters import append_durably
from kcl_processor.state.gaps import json_lines

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


def claim(task: Task, ours: Identity, adopt: bool, gaps: Path) -> str:
    """Write down whose the checkpoint table is, or make sure that it is ours.

    Args:
        adopt: take the table over, whatever it says.
        gaps: where a gap that is passed is noted.

    Returns:
        the ARN of the stream to read: ours, or an older one of the source with changes left in it.

    Raises:
        ConfigError: it belongs to another source or destination; both are named.
        GapError: it belongs to an older stream of the source, and the task stops on gaps.
    """
    client, table = clients.kcl_tables(task), kcl_tables(task).coordinator
    with clients.calling("dynamodb:GetItem", f"table {table}", OperatorError, "check kcl.endpoint"):
        item = client.get_item(TableName=table, Key=_KEY, ConsistentRead=True).get("Item")
    if item and _has_other_stream(task, found := _from_item(item), ours, adopt):
        if _is_unread(task, found.stream):
            return found.stream
        _note_gap(found, ours, gaps)
    elif not item and not adopt:
        _refuse_foreign_leases(task, ours)
    with clients.calling("dynamodb:PutItem", f"table {table}", OperatorError, "check kcl.endpoint"):
        client.put_item(TableName=table, Item=_item(ours))
    return ours.stream


def _has_other_stream(task: Task, found: Identity, ours: Identity, adopt: bool) -> bool:
    """Whether the table is ours but for its stream, and that may be passed."""
    if found == ours:
        return False
    if (found.source_table, found.destination) != (ours.source_table, ours.destination):
        if adopt:
            return False
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
    return True


def _is_unread(task: Task, stream: str) -> bool:
    """Whether anything is left in a stream that was not read to its end.

    A shard without a lease is still to be read if it has no children; what was before them may
    have been passed at a first start.
    """
    try:
        shards = _stream_shards(task, stream)
    except PermissionDenied:
        # A policy may name the new stream alone; the gap is noted, whatever is left behind it.
        return False
    ended = {lease.shard: lease.ended for lease in _leases(task)}
    return not all(ended.get(shard, shard in shards.values()) for shard in shards)


def _note_gap(found: Identity, ours: Identity, gaps: Path) -> None:
    """Write down that the stream changed, unless the daemon that read the old one noted it."""
    if any(gap.get("checkpoint") == found.stream for gap in json_lines(gaps)):
        return
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
    shards = {lease.shard for lease in _leases(task)}
    if shards and not shards & _stream_shards(task, ours.stream).keys():
        raise ConfigError(
            f"The checkpoint table {task.kcl.application_name} holds {len(shards)} leases, and "
            f"none is of a shard of {ours.stream}: they belong to another stream, or every one of "
            "their shards has left it.",
            f"give the task another name; or {_ADOPT}",
        )


def _leases(task: Task) -> list[Lease]:
    rows = scan(clients.kcl_tables(task), kcl_tables(task).leases) or []
    return [lease(row) for row in rows]


def _stream_shards(task: Task, stream: str) -> dict[str, str | None]:
    """Shard id to its parent's, of all that are left in a stream; none if it is gone."""
    client = clients.streams(task.source)
    shards: dict[str, str | None] = {}
    page: dict[str, Any] = {"LastEvaluatedShardId": None}
    hint = "check source.streams_endpoint"
    with (
        clients.calling("dynamodb:DescribeStream", f"stream {stream}", OperatorError, hint),
        suppress(client.exceptions.ResourceNotFoundException),
    ):
        while "LastEvaluatedShardId" in page:
            start = page["LastEvaluatedShardId"]
            after = {"ExclusiveStartShardId": start} if start else {}
            page = client.describe_stream(StreamArn=stream, **after)["StreamDescription"]
            shards |= {shard["ShardId"]: shard.get("ParentShardId") for shard in page["Shards"]}
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
