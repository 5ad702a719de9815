"""Estimates by the original manual's formula, capacities, and limits as operators write them."""

from __future__ import annotations

from typing import Any

import pytest

from kcl_processor.table.estimate import capacity, estimate, rate, write_units


@pytest.mark.parametrize(
    ("items", "average", "expected"),
    [(1000, 1024, 1000), (1000, 1025, 2000), (1000, 10, 1000), (3, 400 * 1024, 1200), (0, 0, 0)],
)
def test_write_units_round_each_item_up_to_a_kilobyte(
    items: int, average: float, expected: float
) -> None:
    """Items x ceiling(average item size / 1 KB)."""
    assert write_units(items, average) == expected


def test_the_slower_side_decides() -> None:
    """The original manual divides by the destination's WCU; a slow source is seen too."""
    writing = estimate(1_000_000, 1_000_000 * 2048, read_rate=10_000, write_rate=100)
    assert writing.seconds == writing.write_seconds == 2_000_000 / 100
    reading = estimate(1_000_000, 1_000_000 * 2048, read_rate=10, write_rate=100_000)
    assert reading.seconds == reading.read_seconds == 25_000


def test_an_empty_table_takes_no_time() -> None:
    """There is nothing to divide by."""
    assert estimate(0, 0, 5, 5).seconds == 0


def provisioned(read: int, write: int, *indexes: int) -> dict[str, Any]:
    """A described table with indexes of these write capacities."""

    def units(write: int) -> dict[str, Any]:
        throughput = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
        return {"ProvisionedThroughput": throughput}

    return {**units(write), "GlobalSecondaryIndexes": [units(index) for index in indexes]}


def test_the_narrowest_index_bounds_writing() -> None:
    """Every write goes to the table and to each global index."""
    found = capacity(provisioned(5, 100, 80, 40))
    assert (found.read, found.write, found.provisioned) == (5, 40, True)


def test_on_demand_counts_as_new_or_by_its_warm_throughput() -> None:
    """DynamoDB tells what a warm table takes at once."""
    table: dict[str, Any] = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
    assert (capacity(table).read, capacity(table).write) == (12000, 4000)
    table["WarmThroughput"] = {"ReadUnitsPerSecond": 50000, "WriteUnitsPerSecond": 20000}
    assert (capacity(table).read, capacity(table).write) == (50000, 20000)


@pytest.mark.parametrize(("given", "expected"), [(None, None), ("250", 250.0), ("50%", 40.0)])
def test_a_limit_is_units_or_a_share(given: str | None, expected: float | None) -> None:
    """50% of 80 provisioned units is 40."""
    assert rate(given, 80, provisioned=True) == expected


@pytest.mark.parametrize("given", ["0", "-1", "many", "nan", "inf", "0%"])
def test_a_limit_is_above_zero(given: str) -> None:
    """Anything else would stop the copy for good."""
    with pytest.raises(ValueError, match=r".+"):
        rate(given, 80, provisioned=True)


def test_a_share_of_an_on_demand_table_means_nothing() -> None:
    """It has no provisioned units."""
    with pytest.raises(ValueError, match="on demand"):
        rate("50%", 4000, provisioned=False)
