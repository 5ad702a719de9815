"""The request for a destination like its source, and what tells two tables apart."""

from __future__ import annotations

from typing import Any

from kcl_processor.table.table_definition import creation, mismatches, own_tags

KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
LOCAL_KEYS = [KEYS[0], {"AttributeName": "at", "KeyType": "RANGE"}]
ATTRIBUTES = [
    {"AttributeName": "pk", "AttributeType": "S"},
    {"AttributeName": "sk", "AttributeType": "N"},
    {"AttributeName": "at", "AttributeType": "N"},
]
CAPACITY = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7}


def described(**changes: Any) -> dict[str, Any]:
    """A provisioned table with both kinds of index, as DescribeTable tells it."""
    index = {
        "IndexName": "by-time",
        "KeySchema": LOCAL_KEYS,
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]},
        "IndexArn": "arn:…",
        "ItemCount": 3,
    }
    return {
        "TableName": "orders",
        "KeySchema": KEYS,
        "AttributeDefinitions": ATTRIBUTES,
        "ProvisionedThroughput": {**CAPACITY, "NumberOfDecreasesToday": 0},
        "GlobalSecondaryIndexes": [
            {**index, "IndexStatus": "ACTIVE", "ProvisionedThroughput": {**CAPACITY, "x": 1}}
        ],
        "LocalSecondaryIndexes": [index],
        "StreamSpecification": {"StreamEnabled": True},
        "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        **changes,
    }


def test_creates_keys_indexes_capacity_and_class_and_no_stream() -> None:
    """What DescribeTable adds is left out, and the stream stays off."""
    index = {
        "IndexName": "by-time",
        "KeySchema": LOCAL_KEYS,
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["b", "a"]},
    }
    assert creation(described(), "replica") == {
        "TableName": "replica",
        "KeySchema": KEYS,
        "AttributeDefinitions": ATTRIBUTES,
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": CAPACITY,
        "GlobalSecondaryIndexes": [{**index, "ProvisionedThroughput": CAPACITY}],
        "LocalSecondaryIndexes": [index],
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
    }


def test_on_demand_takes_no_capacity() -> None:
    """DescribeTable shows zeros for an on-demand table, and CreateTable refuses them."""
    zeros = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    table = described(
        BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"}, ProvisionedThroughput=zeros
    )
    request = creation(table, "replica", [{"Key": "team", "Value": "x"}])
    assert request["BillingMode"] == "PAY_PER_REQUEST"
    assert "ProvisionedThroughput" not in request
    assert "ProvisionedThroughput" not in request["GlobalSecondaryIndexes"][0]
    assert request["Tags"] == [{"Key": "team", "Value": "x"}]


def test_tags_of_aws_cannot_be_copied() -> None:
    """The ``aws:`` prefix is reserved."""
    tags = [{"Key": "aws:cloudformation:stack-id", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert own_tags(tags) == [{"Key": "a", "Value": "2"}]


def test_a_table_is_like_itself() -> None:
    """Nothing tells a table from itself."""
    assert mismatches(described(), described()) == []


def test_other_keys_are_fatal_and_other_indexes_are_not() -> None:
    """A replica cannot work with other keys; a missing index only its readers notice."""
    other = described(KeySchema=KEYS[:1], GlobalSecondaryIndexes=[])
    found = {part.what: part for part in mismatches(described(), other)}
    assert found["KeySchema"].fatal
    assert found["KeySchema"].destination == "pk S HASH"
    index = found["GlobalSecondaryIndex by-time"]
    assert (index.source, index.destination) == ("pk S HASH, at N RANGE; INCLUDE a, b", "-")
    assert not index.fatal
    assert len(found) == 2


def test_other_billing_is_told() -> None:
    """Billing and capacity are the operator's to judge."""
    other = described(BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"})
    found = [(part.what, part.destination, part.fatal) for part in mismatches(described(), other)]
    assert found == [
        ("BillingMode", "PAY_PER_REQUEST", False),
        ("ProvisionedThroughput", "-", False),
    ]
