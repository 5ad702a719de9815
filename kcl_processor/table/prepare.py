"""Making ready: the source's stream on, and a destination like the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.task import Side, Task
from kcl_processor.errors import ConfigError, DestinationError, OperatorError, SourceError
from kcl_processor.launch import preflight
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.table.laid_definition import UnknownKey, laid_definition, left_out, name_by
from kcl_processor.table.table_definition import Mismatch, creation, mismatches, own_tags
from kcl_processor.transform.transform import Transform

_HINT = "mend the cause, then kcl-processor prepare again"
# Seconds that a table may take to become ACTIVE; one with many indexes takes minutes.
_PATIENCE = 1800.0


@dataclass(frozen=True)
class Call:
    """One call that changes something, ready to be made or only shown.

    Attributes:
        operation: as in the DynamoDB API reference.
        reason: what it is for, in a few words.
    """

    side: Side
    operation: str
    parameters: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class Plan:
    """What is to be done, and what was found.

    Attributes:
        stream: turns the source's stream on; ``None`` when it is on.
        destination: what creates the destination; empty when it exists.
        differing: how an existing destination differs from its source.
    """

    stream: Call | None
    destination: list[Call]
    differing: list[Mismatch]


def plan(task: Task, *, tags: bool = False, ttl: bool = False) -> Plan:
    """Find out what is left to do. Reads only.

    Args:
        tags: give a new destination the source's tags.
        ttl: turn TTL on at a new destination if the source has it on.

    Raises:
        SourceError: there is no source table, or its stream has a view that cannot be replicated.
        ConfigError: the destination is the source table; or the rules make its keys, of types that
            nobody can know; or no item of an existing destination can come from them.
        PermissionDenied: a call is denied.
    """
    hint = "name the source table and its region as they are"
    source = preflight.describe(task.source, SourceError, hint)
    stream = None
    if not (source.get("StreamSpecification") or {}).get("StreamEnabled"):
        preflight.refuse_streamless(task.source)
        stream = _stream_on(task)
    else:
        preflight.check_source(task.source)
    found = described_table(task.destination)
    if found is not None:
        preflight.refuse_source(task.destination, Incarnation.of(found), Incarnation.of(source))
        return Plan(stream, [], _differing(task, source, found))
    return Plan(stream, _create(task, source, tags=tags, ttl=ttl), [])


def make(call: Call, clock: Clock, wait: Callable[[float], None]) -> None:
    """Make one call and wait until its table is ACTIVE again.

    Raises:
        SourceError, DestinationError: the call failed, or the table does not become ACTIVE.
        PermissionDenied: it is denied.
    """
    error = SourceError if call.operation == "UpdateTable" else DestinationError
    client = clients.tables(call.side)
    with clients.calling(f"dynamodb:{call.operation}", f"table {call.side}", error, _HINT):
        if call.operation == "UpdateTable":
            client.update_table(**call.parameters)
        elif call.operation == "CreateTable":
            client.create_table(**call.parameters)
        else:
            client.update_time_to_live(**call.parameters)
    await_active(call.side, error, clock, wait)


def _stream_on(task: Task) -> Call:
    specification = {"StreamEnabled": True, "StreamViewType": preflight.VIEW}
    parameters = {"TableName": task.source.table, "StreamSpecification": specification}
    return Call(task.source, "UpdateTable", parameters, "turn the source's stream on")


def _differing(task: Task, source: dict[str, Any], found: dict[str, Any]) -> list[Mismatch]:
    """How an existing destination differs; under rules its keys may."""
    differing = mismatches(source, found)
    if task.rules is None:
        return differing
    ours, theirs = (preflight.key_types(preflight.key_schema(one)) for one in (source, found))
    Transform(task.rules, ours, theirs).refuse_impossible()
    return [replace(part, fatal=False) for part in differing]


def _laid(task: Task, source: dict[str, Any]) -> dict[str, Any]:
    """The source as the rules make it.

    Raises:
        ConfigError: they make its keys.
    """
    if task.rules is None:
        return source
    try:
        return laid_definition(source, task.rules)
    except UnknownKey as unknown:
        raise ConfigError(
            f"The rules do not leave {unknown.name!r} as it is, which is of the source's key: what "
            f"the keys of {task.destination} are to be, and of which types, is yours to say.",
            f"aws dynamodb create-table {task.destination.aws_options} --attribute-definitions "
            "AttributeName=NAME,AttributeType=S --key-schema AttributeName=NAME,KeyType=HASH "
            "--billing-mode PAY_PER_REQUEST, with the keys that the rules make",
        ) from unknown


def _create(task: Task, source: dict[str, Any], *, tags: bool, ttl: bool) -> list[Call]:
    side, laid = task.destination, _laid(task, source)
    missing = left_out(source, laid)
    without = f", without what the rules leave no keys for: {', '.join(missing)}" if missing else ""
    chosen = _tags(task.source, source["TableArn"]) if tags else None
    calls = [
        Call(
            side,
            "CreateTable",
            creation(laid, side.table, chosen),
            f"create the destination like the source{without}",
        )
    ]
    if ttl and (attribute := _ttl_attribute(task)):
        specification = {"Enabled": True, "AttributeName": attribute}
        parameters = {"TableName": side.table, "TimeToLiveSpecification": specification}
        calls.append(
            Call(side, "UpdateTimeToLive", parameters, "let items expire as at the source")
        )
    return calls


def _tags(side: Side, arn: str) -> list[dict[str, str]]:
    tags: list[dict[str, str]] = []
    with clients.calling("dynamodb:ListTagsOfResource", f"table {side}", SourceError, _HINT):
        for page in (
            clients.tables(side).get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
        ):
            tags += page["Tags"]
    return own_tags(tags)


def _ttl_attribute(task: Task) -> str | None:
    """The attribute that TTL goes by at the source, under the name that it has at the replica."""
    side = task.source
    with clients.calling("dynamodb:DescribeTimeToLive", f"table {side}", SourceError, _HINT):
        found = clients.tables(side).describe_time_to_live(TableName=side.table)
    described = found["TimeToLiveDescription"]
    enabled = described.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    if not enabled:
        return None
    name = str(described["AttributeName"])
    return name_by(task.rules, name) if task.rules else name


def described_table(side: Side) -> dict[str, Any] | None:
    """A destination as described, or ``None`` when there is no such table."""
    return clients.described(clients.tables(side), side.table, DestinationError, _HINT)


def await_active(
    side: Side, error: type[OperatorError], clock: Clock, wait: Callable[[float], None]
) -> None:
    """Wait until a table and its indexes are ACTIVE.

    Raises:
        OperatorError: they are not after half an hour.
    """
    deadline = clock.elapsed() + _PATIENCE
    while clock.elapsed() < deadline:
        table = preflight.describe(side, error, _HINT)
        indexes = table.get("GlobalSecondaryIndexes", ())
        if table["TableStatus"] == "ACTIVE" and all(
            index.get("IndexStatus", "ACTIVE") == "ACTIVE" for index in indexes
        ):
            return
        wait(1.0)
    raise error(
        f"Table {side} is not ACTIVE after {_PATIENCE / 60:.0f} minutes.",
        f"aws dynamodb describe-table {side.aws_options}",
    )
