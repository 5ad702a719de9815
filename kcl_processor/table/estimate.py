"""How long a copy will take, from the tables' sizes and capacities; and the time it may take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from kcl_processor.costs import ON_DEMAND_READS, ON_DEMAND_WRITES

# The daemon must begin to read before the copy's first hour leaves the stream.
REFUSE_HOURS = 20.0
WARN_HOURS = 16.0
# Said where a task has rules.
RULES_UNCOUNTED = " This counts every item of the source: the rules may leave less to write."


@dataclass(frozen=True)
class Capacity:
    """What a table may be asked for, in units a second.

    Attributes:
        words: where the figures come from.
        provisioned: whether somebody set them.
    """

    read: float
    write: float
    words: str
    provisioned: bool


@dataclass(frozen=True)
class Estimate:
    """A copy before it starts.

    Attributes:
        write_units, read_units: what the whole copy consumes.
        write_seconds, read_seconds: how long either side needs for it.
    """

    items: int
    average_bytes: float
    read_units: float
    write_units: float
    read_seconds: float
    write_seconds: float

    @property
    def seconds(self) -> float:
        """The slower side decides."""
        return max(self.read_seconds, self.write_seconds)


def capacity(table: dict[str, Any]) -> Capacity:
    """What a described table can take.

    Writing is bound by the table and by each of its global indexes, which take every write too.
    """
    if table.get("BillingModeSummary", {}).get("BillingMode") != "PAY_PER_REQUEST":
        parts = [table, *table.get("GlobalSecondaryIndexes", ())]
        throughputs = [part["ProvisionedThroughput"] for part in parts]
        write = min(float(throughput["WriteCapacityUnits"]) for throughput in throughputs)
        read = float(throughputs[0]["ReadCapacityUnits"])
        return Capacity(read, write, "provisioned", provisioned=True)
    warm = table.get("WarmThroughput")
    if warm:
        read, write = float(warm["ReadUnitsPerSecond"]), float(warm["WriteUnitsPerSecond"])
        return Capacity(read, write, "on demand, warm throughput", provisioned=False)
    return Capacity(ON_DEMAND_READS, ON_DEMAND_WRITES, "on demand, as new", provisioned=False)


def write_units(items: int, average_bytes: float) -> float:
    """The original manual's: items x ceiling(average item size / 1 KB)."""
    return float(items * max(1, math.ceil(average_bytes / 1024)))


def read_units(table_bytes: int) -> float:
    """A scan costs half a unit for 4 KB, over the page and not item by item."""
    return math.ceil(table_bytes / 4096) / 2


def estimate(items: int, table_bytes: int, read_rate: float, write_rate: float) -> Estimate:
    """Estimate a copy of ``items`` items at rates in units a second."""
    average = table_bytes / items if items else 0.0
    writes, reads = write_units(items, average), read_units(table_bytes)
    return Estimate(items, average, reads, writes, reads / read_rate, writes / write_rate)


def rate(limit: str | None, capacity_units: float, *, provisioned: bool) -> float | None:
    """A ``--max-rcu`` or ``--max-wcu`` in units a second.

    Args:
        limit: a number of units, or a percentage of the provisioned capacity; ``None`` for none.

    Raises:
        ValueError: it is neither, or a percentage of nothing.
    """
    if limit is None:
        return None
    share = limit.endswith("%")
    value = float(limit.removesuffix("%"))
    if not 0 < value < math.inf:
        raise ValueError(f"{limit} is not above 0")
    if share and not provisioned:
        raise ValueError(f"{limit} of what? The table is on demand; give units a second")
    return capacity_units * value / 100 if share else value
