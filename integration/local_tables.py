"""DynamoDB Local, and tables on it: created, and read whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from integration.clients import Client
from integration.simulator.items import Item
from kcl_processor.clock import SystemClock
from kcl_processor.demo.dynamodb_local import dynamodb_local

SOURCE_REGION, DESTINATION_REGION = "us-east-1", "eu-west-1"

# A table's key attributes and their types, the hash key first.
Keys = tuple[tuple[str, str], ...]

HASH_ONLY: Keys = (("pk", "S"),)
HASH_AND_RANGE: Keys = (("pk", "S"), ("sk", "N"))
BINARY_KEYS: Keys = (("pk", "B"), ("sk", "B"))
LEASE_KEYS: Keys = (("leaseKey", "S"),)
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def database(*, regions_apart: bool = False, heap: str = "256m") -> AbstractContextManager[str]:
    """DynamoDB Local's URL, for the time of a ``with`` block; the options are the product's."""
    return dynamodb_local(SystemClock(), time.sleep, regions_apart=regions_apart, heap=heap)


def create(side: Client, name: str, keys: Keys, **more: object) -> None:
    """Create a table with a boto3 client; ``more`` are further parameters of CreateTable."""
    kinds = zip(keys, ("HASH", "RANGE"), strict=False)
    side.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for (key, _), kind in kinds],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys],
        **({"BillingMode": "PAY_PER_REQUEST"} | more),
    )


def items(side: Client, name: str) -> Iterator[Item]:
    """Every item of a table, read consistently with a boto3 client."""
    for page in side.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
        yield from page["Items"]


def leases(side: Client, table: str) -> dict[str, dict[str, Any]]:
    """A lease table's rows by lease key, their values without types."""
    return {
        row["leaseKey"]["S"]: {name: next(iter(value.values())) for name, value in row.items()}
        for row in items(side, table)
    }
