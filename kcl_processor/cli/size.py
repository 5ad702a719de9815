"""Say what a task needs and costs: processes, memory, workers, dollars a month, with the formulas.

The number of open shards is asked from the stream, the table's size from the table. Rates are yours
to give, for no table tells them: see the ConsumedWriteCapacityUnits of the source. Prices are
us-east-1 list prices, the rest estimates; free tiers, compute and traffic between regions are left
out.

example:
  kcl-processor size orders --changes 500
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict

from kcl_processor.aws import clients
from kcl_processor.cli.output import Row, print_rows
from kcl_processor.cli.ranges import amount, pace, whole
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.clock import SystemClock
from kcl_processor.errors import ExitCode, SourceError
from kcl_processor.fleet.stream import Stream
from kcl_processor.launch.preflight import check_source, describe
from kcl_processor.operate.sizing import Line, proving, size

HELP = "estimate memory, workers and monthly cost"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    parser.add_argument(
        "--shards", type=whole(0, 1_000_000), metavar="N", help="instead of asking the stream"
    )
    parser.add_argument(
        "--changes", type=amount, default=10, metavar="N", help="changes a second (default: 10)"
    )
    parser.add_argument(
        "--item-kb", type=amount, default=1, metavar="N", help="mean item size (default: 1)"
    )
    parser.add_argument(
        "--table-gb",
        type=amount,
        metavar="N",
        help="size of the table, for what verify costs (default: asked, unless --shards is given)",
    )
    parser.add_argument(
        "--max-rcu",
        type=pace,
        default=50.0,
        metavar="N",
        help="read units a second of verify --continuous on each side (default: 50)",
    )
    parser.add_argument("--json", action="store_true", help="a JSON list")


def run(args: argparse.Namespace) -> int:
    task = chosen_task(args)
    shards, table_bytes = args.shards, None
    if args.table_gb is not None:
        table_bytes = args.table_gb * (1 << 30)
    elif shards is None:
        table_bytes = describe(task.source, SourceError, "check the source")["TableSizeBytes"]
    if shards is None:
        arn = check_source(task.source).stream_arn
        stream = Stream(clients.streams(task.source), arn, SystemClock(), time.sleep)
        shards = sum(shard.open for shard in stream.shards())
    lines = size(task, shards, args.changes, args.item_kb)
    if table_bytes is not None:
        lines += proving(table_bytes, args.max_rcu)
    rows: list[Row] = [asdict(line) if args.json else row(line) for line in lines]
    print_rows(rows, ("what", "value", "formula"), as_json=args.json)
    return ExitCode.OK


def row(line: Line) -> Row:
    """One line of the table."""
    dollars = line.unit == "$"
    digits = 1 if line.unit == "h" else 0
    value = f"${line.value:,.2f}" if dollars else f"{line.value:,.{digits}f} {line.unit}".rstrip()
    return {"what": line.what, "value": value, "formula": line.formula}
