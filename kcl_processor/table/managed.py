"""Two ways to fill a destination, side by side: this product's copy, and export and import by S3.

The figures are estimates with their formulas, from list prices and from the tables' own sizes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from kcl_processor import costs
from kcl_processor.config.task import Task
from kcl_processor.fleet.stream import HOUR, RETENTION
from kcl_processor.table.estimate import Estimate

# AWS publishes no speed of exports and imports. Assumed: a fixed part, and one that grows.
_FIXED_HOURS = 0.5
_GB_PER_HOUR = 500.0
_RULED = (
    "every item of the source is counted: the rules may leave less to write. An import takes items "
    "as they are, so for a task with rules the export is laid by our own writer, too"
)


@dataclass(frozen=True)
class Way:
    """One way.

    Attributes:
        dollars: extra cost, once.
        formulas: how both figures came about.
        commands: what to type, in order.
        notes: what it cannot do, and what must be there first.
    """

    name: str
    hours: float
    dollars: float
    formulas: list[str]
    commands: list[str]
    notes: list[str]


def by_copy(task: Task, estimate: Estimate, read_rate: float, write_rate: float) -> Way:
    """This product's copy, at on-demand prices."""
    dollars = (
        estimate.write_units * costs.MILLION_WRITES + estimate.read_units * costs.MILLION_READS
    ) / 1_000_000
    return Way(
        "copy",
        estimate.seconds / HOUR,
        dollars,
        [
            f"write: {estimate.items:,} items x ceil({estimate.average_bytes:,.0f} B / 1 KB) = "
            f"{estimate.write_units:,.0f} WCU / {write_rate:,.0f} WCU/s = "
            f"{estimate.write_seconds:,.0f} s",
            f"read: {estimate.read_units:,.1f} RCU / {read_rate:,.0f} RCU/s = "
            f"{estimate.read_seconds:,.0f} s",
            f"cost: WCU x ${costs.MILLION_WRITES} + RCU x ${costs.MILLION_READS} a million "
            "(on demand; provisioned capacity is paid for anyway)",
        ],
        [f"kcl-processor copy {task.name}"],
        [_RULED] if task.rules else [],
    )


def by_live_copy(task: Task, estimate: Estimate, read_rate: float, write_rate: float) -> Way:
    """The copy beside the daemon, at on-demand prices."""
    plain = by_copy(task, estimate, read_rate, write_rate)
    each = max(1, math.ceil(estimate.average_bytes / 4096))
    looks = float(estimate.items * each)
    seconds = max(estimate.write_seconds, (estimate.read_units + looks) / read_rate)
    write, read, cost = plain.formulas
    return Way(
        "copy --live",
        seconds / HOUR,
        plain.dollars + looks * costs.MILLION_READS / 1_000_000,
        [
            f"{write}; a condition that fails costs as much as one that holds",
            read,
            f"look: {estimate.items:,} items x ceil({estimate.average_bytes:,.0f} B / 4 KB) = "
            f"{looks:,.0f} RCU more, strongly consistent: with the scan "
            f"{(estimate.read_units + looks) / read_rate:,.0f} s",
            cost,
        ],
        [f"kcl-processor run {task.name}", f"kcl-processor copy --live {task.name}"],
        plain.notes,
    )


def by_import(task: Task, source: dict[str, Any]) -> Way:
    """Export to S3 and import from there; neither consumes table capacity."""
    gigabytes = source["TableSizeBytes"] / (1 << 30)
    per_gigabyte = costs.EXPORT_GB + costs.IMPORT_GB + costs.PITR_GB_MONTH
    hours = 2 * (_FIXED_HOURS + gigabytes / _GB_PER_HOUR)
    notes = [
        "the import creates the destination, which must not exist yet",
        f"the {RETENTION / HOUR:.0f} h of the stream count from the export's point in time",
        "BUCKET is one of yours; one of another account needs a bucket policy",
    ]
    if source.get("LocalSecondaryIndexes"):
        notes.append(
            "an import cannot create local secondary indexes, which this source has: with a "
            "destination that prepare has made, the export is laid by our own writer"
        )
    if task.source.region != task.destination.region:
        per_gigabyte += costs.TRANSFER_GB
    return Way(
        "export and import",
        hours,
        gigabytes * per_gigabyte,
        [
            f"time: 2 x ({_FIXED_HOURS} h + {gigabytes:,.2f} GB / {_GB_PER_HOUR:,.0f} GB/h) "
            "(assumed: AWS publishes no speed)",
            f"cost: {gigabytes:,.2f} GB x ${per_gigabyte:.2f} "
            f"(export {costs.EXPORT_GB}, import {costs.IMPORT_GB}, PITR for a month "
            f"{costs.PITR_GB_MONTH}, transfer to another region {costs.TRANSFER_GB})",
        ],
        [
            f"kcl-processor copy {task.name} --managed --bucket BUCKET",
            f"kcl-processor run {task.name}",
        ],
        notes,
    )
