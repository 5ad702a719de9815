"""Create the destination like the source, and turn the source's stream on.

The new table gets the source's keys, indexes, billing, capacity and table class. Its stream and
its TTL stay off, and tags are copied only with --tags. What exists is never changed: a stream
that is on stays as it is, and a destination that exists is compared with the source. Of a task with
rules the keys have their new names; a key that rules make is yours to create.

examples:
  kcl-processor prepare orders --dry-run
  kcl-processor prepare orders --yes
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time

from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import print_json, print_rows
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, DestinationError, ExitCode
from kcl_processor.table import prepare
from kcl_processor.table.prepare import Call, Plan

HELP = "create the destination like the source, turn the stream on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_prepare_arguments(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="print the calls that would be made; make none"
    )
    parser.add_argument("--json", action="store_true", help="print the calls as JSON")


def add_prepare_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``prepare`` and ``start`` share."""
    parser.add_argument(
        "--yes", action="store_true", help="turn the source's stream on without asking"
    )
    parser.add_argument("--tags", action="store_true", help="copy the source's tags")
    parser.add_argument("--ttl", action="store_true", help="turn TTL on as at the source")


def run(args: argparse.Namespace) -> int:
    task = chosen_task(args)
    plan = prepare.plan(task, tags=args.tags, ttl=args.ttl)
    calls = _calls(plan)
    if args.json:
        print_json(
            {
                "calls": [_row(call) for call in calls],
                "differing": [dataclasses.asdict(part) for part in plan.differing],
            }
        )
    if args.dry_run:
        if not args.json:
            _show(plan)
        return ExitCode.OK
    if not args.json:
        _show_differing(plan)
    carry_out(task, plan, yes=args.yes)
    print(as_called(f"Next: kcl-processor copy {task.name}", args), file=sys.stderr)
    return ExitCode.OK


def carry_out(task: Task, plan: Plan, *, yes: bool) -> None:
    """Do what a plan holds; asks before it touches the source.

    Raises:
        ConfigError: the operator does not agree to turn the stream on.
        DestinationError: the destination exists with other keys.
    """
    if any(part.fatal for part in plan.differing):
        raise DestinationError(
            f"The destination table {task.destination} exists with other keys than the source's.",
            "name another destination, or delete this table if nothing needs it",
        )
    if plan.stream:
        _ask(task, yes=yes)
    for call in _calls(plan):
        print(f"{call.reason}: {call.operation} on {call.side}", file=sys.stderr)
        prepare.make(call, SystemClock(), time.sleep)


def _calls(plan: Plan) -> list[Call]:
    return ([plan.stream] if plan.stream else []) + plan.destination


def _row(call: Call) -> dict[str, object]:
    return {
        "operation": call.operation,
        "region": call.side.region,
        "reason": call.reason,
        "parameters": call.parameters,
    }


def _show(plan: Plan) -> None:
    for call in _calls(plan):
        print(f"{call.operation} on {call.side}, to {call.reason}:")
        print(json.dumps(call.parameters, indent=2))
    if not _calls(plan):
        print("nothing to do: the stream is on, and the destination exists")
    _show_differing(plan)


def _show_differing(plan: Plan) -> None:
    if plan.differing:
        rows = [dataclasses.asdict(part) for part in plan.differing]
        print_rows(rows, ("what", "source", "destination"))


def _ask(task: Task, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            f"The stream of source table {task.source} is off, and nobody is there to be asked.",
            f"kcl-processor prepare --yes {task.name} turns it on",
        )
    question = f"Turn the stream of source table {task.source} on? It costs nothing unread. [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfigError(
            "The stream stays off; nothing was touched.", f"kcl-processor prepare {task.name}"
        )
