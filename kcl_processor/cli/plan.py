"""The ways to fill a destination, for ``copy --plan``."""

from __future__ import annotations

import dataclasses

from kcl_processor.cli.output import print_json, print_rows
from kcl_processor.config.task import Task
from kcl_processor.table.copy_sides import Tables
from kcl_processor.table.estimate import REFUSE_HOURS, estimate
from kcl_processor.table.managed import Way, by_copy, by_import, by_live_copy


def print_plan(task: Task, tables: Tables, *, as_json: bool) -> None:
    """Print what each way takes and costs, how that was reckoned, and what to type."""
    items, size = tables.source["ItemCount"], tables.source["TableSizeBytes"]
    estimated = estimate(items, size, tables.read_rate, tables.write_rate)
    rates = tables.read_rate, tables.write_rate
    ways = [copying(task, estimated, *rates) for copying in (by_copy, by_live_copy)]
    if task.rules is None:
        ways.append(by_import(task, tables.source))
    if as_json:
        print_json([dataclasses.asdict(way) for way in ways])
        return
    rows = [
        {"way": way.name, "hours": f"{way.hours:.2f}", "us_dollars": f"{way.dollars:.2f}"}
        for way in ways
    ]
    print_rows(rows, ("way", "hours", "us_dollars"))
    print(
        f"\nsource: {items:,} items, {size:,} bytes, {tables.read.read:,.0f} RCU/s "
        f"({tables.read.words}); destination: {tables.write.write:,.0f} WCU/s "
        f"({tables.write.words})\ncopy refuses above {REFUSE_HOURS:.0f} h, copy --live never; "
        "sizes are DynamoDB's, up to six hours old; prices are us-east-1 list prices, to be "
        "checked against yours"
    )
    for way in ways:
        _print_way(way)


def _print_way(way: Way) -> None:
    print(f"\n{way.name}")
    for title, lines in (("", way.formulas), ("note ", way.notes), ("$ ", way.commands)):
        for line in lines:
            print(f"  {title}{line}")
