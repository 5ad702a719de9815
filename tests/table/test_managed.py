"""The plan: both ways with formulas, cost, and commands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kcl_processor.config.task import Kcl, Side, Source, Task
from kcl_processor.table.estimate import estimate
from kcl_processor.table.managed import by_copy, by_import
from kcl_processor.transform.rules import Rules

GB = 1 << 30
TASK = Task(
    "orders",
    Source("us-east-1", "orders"),
    Side("eu-west-1", "replica"),
    Kcl("us-east-1", None, "leases", "worker"),
)


def source(**more: Any) -> dict[str, Any]:
    """A source of 100 GB."""
    return {
        "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/orders",
        "TableName": "orders",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "TableSizeBytes": 100 * GB,
        "ItemCount": 100_000_000,
        **more,
    }


def test_a_copy_costs_its_units() -> None:
    """100 million items of 1.07 KB are 200 million write units, and 13 million read units."""
    way = by_copy(TASK, estimate(100_000_000, 100 * GB, 12_000, 4_000), 12_000, 4_000)
    assert way.hours == pytest.approx(200_000_000 / 4_000 / 3600)
    assert way.dollars == pytest.approx(200 * 0.625 + 13.1072 * 0.125)
    assert way.notes == []
    ruled = replace(TASK, rules=Rules(where="a"))
    (note,) = by_copy(ruled, estimate(1, 1, 1, 1), 1, 1).notes
    assert "rules may leave less to write" in note
    assert "100,000,000 items x ceil(1,074 B / 1 KB) = 200,000,000 WCU" in way.formulas[0]


def test_an_import_costs_by_the_gigabyte() -> None:
    """Export, import, a month of recovery, and the way to another region."""
    way = by_import(TASK, source())
    assert way.dollars == pytest.approx(100 * (0.10 + 0.15 + 0.20 + 0.02))
    assert way.hours == pytest.approx(2 * (0.5 + 100 / 500))


def test_the_managed_way_is_one_command() -> None:
    """And then the daemon's."""
    assert by_import(TASK, source()).commands == [
        "kcl-processor copy orders --managed --bucket BUCKET",
        "kcl-processor run orders",
    ]


def test_local_indexes_are_what_an_import_cannot_do() -> None:
    """It is said before anybody tries."""
    index = {
        "IndexName": "by-time",
        "KeySchema": [],
        "Projection": {"ProjectionType": "ALL"},
    }
    way = by_import(TASK, source(LocalSecondaryIndexes=[index]))
    assert any("local secondary indexes" in note for note in way.notes)
