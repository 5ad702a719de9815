"""Permissions, found out by making each call that the daemon will make, without changing anything.

Writes to KCL's tables carry a condition that never holds: DynamoDB checks the permission first, and
the refused condition proves it. BatchWriteItem takes no condition, so the destination is asked to
delete a key that nobody has.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.config.task import Side, Task, ThrottleWhen
from kcl_processor.errors import DestinationError, OperatorError, SourceError
from kcl_processor.fleet.kcl_tables import LEASE_INDEX
from kcl_processor.replicate.metrics import RECORDS_WRITTEN

Keys = Mapping[str, tuple[str, str]]

# For an alarm that cannot be found.
ALARM_HINT = "throttle_when.alarm with the ARN of one that is there"


def read_stream(task: Task, arn: str) -> None:
    """Read a record of one of the stream's shards, as the daemon does.

    Raises:
        PermissionDenied, SourceError: a call is denied or fails.
    """
    client = clients.streams(task.source)
    hint = "check source.streams_endpoint"
    with clients.calling("dynamodb:DescribeStream", arn, SourceError, hint):
        described = client.describe_stream(StreamArn=arn)["StreamDescription"]
    for shard in described["Shards"][-1:]:
        with clients.calling("dynamodb:GetShardIterator", arn, SourceError, hint):
            start = client.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
        with clients.calling("dynamodb:GetRecords", arn, SourceError, hint):
            client.get_records(ShardIterator=start["ShardIterator"], Limit=1)


def write_destination(destination: Side, keys: Keys, arn: str) -> None:
    """Delete an item that does not exist: a random key of the table's own type.

    Raises:
        PermissionDenied, DestinationError: the call is denied or fails.
    """
    nobody = {name: _random(kind) for name, (_, kind) in keys.items()}
    request = {destination.table: [{"DeleteRequest": {"Key": nobody}}]}
    hint = "check destination.endpoint"
    with clients.calling("dynamodb:BatchWriteItem", arn, DestinationError, hint):
        clients.tables(destination).batch_write_item(RequestItems=request)


def recovers(side: Side, error: type[OperatorError]) -> bool:
    """Whether point-in-time recovery of a table is on.

    Raises:
        PermissionDenied, OperatorError: the call is denied or fails, by ``error``.
    """
    call = "dynamodb:DescribeContinuousBackups"
    with clients.calling(call, f"table {side}", error, "kcl-processor iam prints what to allow"):
        return clients.recovery(clients.tables(side), side.table) is not None


def use_table(client: Any, table: str, key: str, arn: str) -> Iterator[str]:
    """Make KCL's calls on one of its tables; yields each action that is allowed.

    Raises:
        PermissionDenied, OperatorError: a call is denied or fails.
    """
    item = {key: {"S": "kcl-processor doctor"}}
    never = {
        "ConditionExpression": "attribute_exists(#key) AND attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": key},
    }
    calls: dict[str, Callable[[], Any]] = {
        "Scan": lambda: client.scan(TableName=table, Limit=1),
        "GetItem": lambda: client.get_item(TableName=table, Key=item),
        "PutItem": lambda: client.put_item(TableName=table, Item=item, **never),
        "UpdateItem": lambda: client.update_item(
            TableName=table,
            Key=item,
            UpdateExpression="SET probe = :probe",
            ExpressionAttributeValues={":probe": {"S": "-"}},
            **never,
        ),
        "DeleteItem": lambda: client.delete_item(TableName=table, Key=item, **never),
    }
    for action, call in calls.items():
        calling = clients.calling(f"dynamodb:{action}", arn, OperatorError, "check kcl.endpoint")
        with calling, suppress(client.exceptions.ConditionalCheckFailedException):
            call()
        yield action


def query_index(client: Any, table: str, arn: str) -> None:
    """Ask the lease table's index for nobody's leases.

    Raises:
        PermissionDenied, OperatorError: the call is denied or fails.
    """
    on = f"{arn}/index/{LEASE_INDEX}"
    with clients.calling("dynamodb:Query", on, OperatorError, "wait until the index is ACTIVE"):
        client.query(
            TableName=table,
            IndexName=LEASE_INDEX,
            KeyConditionExpression="leaseOwner = :nobody",
            ExpressionAttributeValues={":nobody": {"S": "kcl-processor doctor"}},
        )


def publish_metric(task: Task) -> None:
    """Publish a zero to a metric that the daemon publishes, too.

    Raises:
        PermissionDenied, OperatorError: the call is denied or fails.
    """
    hint = "check metrics.region and metrics.endpoint, or set metrics.publish to false"
    with clients.calling("cloudwatch:PutMetricData", "*", OperatorError, hint):
        clients.cloudwatch(task).put_metric_data(
            Namespace=task.kcl.application_name,
            MetricData=[{"MetricName": RECORDS_WRITTEN, "Value": 0.0, "Unit": "Count"}],
        )


def alarm_state(destination: Side, when: ThrottleWhen) -> str | None:
    """The state of the alarm that throttles; ``None`` where these credentials find none.

    Raises:
        PermissionDenied, OperatorError: the call is denied or fails.
    """
    region, on = when.region(destination), f"alarm {when.alarm}"
    with clients.calling("cloudwatch:DescribeAlarms", on, OperatorError, ALARM_HINT):
        found = clients.alarms(region, destination.access).describe_alarms(
            AlarmNames=[when.alarm_name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
    # Of another account's ARN, one of the same name here is not the one (``ThrottleAlarm.java``).
    states = (
        str(one["StateValue"])
        for one in (*found["MetricAlarms"], *found["CompositeAlarms"])
        if when.alarm in (one["AlarmName"], one["AlarmArn"])
    )
    return next(states, None)


def lambda_readers(task: Task, arn: str) -> list[str]:
    """The Lambda functions that read the stream as well.

    Raises:
        PermissionDenied, OperatorError: the call is denied or fails.
    """
    hint = "check that Lambda can be reached"
    with clients.calling("lambda:ListEventSourceMappings", arn, OperatorError, hint):
        found = clients.functions(task.source).list_event_source_mappings(EventSourceArn=arn)
    return [str(mapping["FunctionArn"]) for mapping in found["EventSourceMappings"]]


def _random(kind: str) -> dict[str, Any]:
    if kind == "N":
        return {"N": str(secrets.randbelow(10**38))}
    return {"S": secrets.token_hex(16)} if kind == "S" else {"B": secrets.token_bytes(16)}
