"""Permissions are found out by calls that change nothing."""

from __future__ import annotations

import boto3
import pytest

from kcl_processor.errors import DestinationError
from kcl_processor.operate.probes import recovers, use_table, write_destination
from tests.kcl_tables import make_source_and_destination, make_task, rows_in


@pytest.mark.parametrize("key", ["leaseKey", "key", "wid"])
def test_every_call_on_a_kcl_table_is_tried(moto_url: str, key: str) -> None:
    """Five actions, reserved words among the keys' names or not."""
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    name = f"probe-{key}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    tried = list(use_table(client, name, key, f"arn:{name}"))
    assert tried == ["Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem"]
    assert rows_in(client, name) == []


@pytest.mark.parametrize("kind", ["S", "N", "B"])
def test_a_write_is_tried_with_a_key_of_every_type(moto_url: str, kind: str) -> None:
    """The random key is one that the table takes."""
    task = make_task(moto_url)
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    client.create_table(
        TableName=task.destination.table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": kind}],
        BillingMode="PAY_PER_REQUEST",
    )
    write_destination(task.destination, {"pk": ("HASH", kind)}, "arn")
    assert rows_in(client, task.destination.table) == []


def test_recovery_is_off_until_it_is_turned_on(moto_url: str) -> None:
    """And of a table that is not there it is told."""
    task = make_task(moto_url)
    with pytest.raises(DestinationError):
        recovers(task.destination, DestinationError)
    client = make_source_and_destination(task)
    assert not recovers(task.destination, DestinationError)
    client.update_continuous_backups(
        TableName=task.destination.table,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    assert recovers(task.destination, DestinationError)
