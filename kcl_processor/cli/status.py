"""Say of each task whether it runs, how far behind it is, and how long it has got.

columns:
  STATE      running, paused (all of it, by `pause`), stopped (as asked), dying (its last worker
             gives no sign of life, for less than a failover), dead (for longer), new (never
             started, or every checkpoint was reset), or unknown (its tables cannot be read)
  WORKERS    that gave a sign of life; SHARDS counts those not read to their end
  LAG        age of the oldest change that is not checkpointed yet
  TRIMS IN   time until the stream, which keeps 24 hours, drops that change
  IN/S OUT/S changes a second that the source makes and the daemon applies, over the last minute;
             known where every shard is read on this host
  CATCH UP   time until the lag is gone at these rates; - when it is not shrinking
  DEAD, GAPS dead letters and gaps noted on this host
  PROVEN     age of the oldest proof that verify has, over all parts of the tables; DIFFER counts
             the keys that it found to differ and not to be equal since

Below the table stands what is wrong, a switchover that was not taken back, and of this host's
workers how the last one ended, if none runs, and who failed within a day: when, with which exit
code, why, and what to type next.

The worst task stands first. On a terminal a line is yellow when 25 % of the 24 hours are used up,
red from 75 %, and on one that is too narrow CATCH UP, OUT/S, IN/S, WORKERS, SHARDS and DIFFER are
left out, in this order.

exit code: 0 every task runs, or is paused, 1 one is critical (75 % of 24 h used, or changes lost),
3 one is not running, 4 one is unknown, or how far it is behind. The first of these that holds.

examples:
  kcl-processor status --watch
  kcl-processor status orders --json
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import Row, duration, fitting_lines, print_json
from kcl_processor.cli.task import add_state_argument, add_task_arguments
from kcl_processor.cli.watch import add_watch_argument, show
from kcl_processor.clock import Clock, SystemClock
from kcl_processor.config.paths import state_directory
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import find_task, load_tasks
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.operate.observe import Observer
from kcl_processor.operate.status import (
    CRITICAL,
    OK,
    PAUSED,
    RUNNING,
    UNKNOWN,
    WARN,
    Status,
    summarise,
)
from kcl_processor.state.owner import owned_files

HELP = "say whether tasks run and how far behind they are"

_COLUMNS = (
    "task", "state", "workers", "shards", "lag", "trims_in", "in/s", "out/s", "catch_up", "dead",
    "gaps", "proven", "differ",
)  # fmt: skip
# What a narrow terminal does without, the first of them first.
_SPARE = ("catch_up", "out/s", "in/s", "workers", "shards", "differ")
_WORST_FIRST = (ExitCode.CRASH, ExitCode.NOT_RUNNING, ExitCode.UNKNOWN, ExitCode.OK)
_PARALLEL_LOOKS = 8
_COLOURS = {OK: "", WARN: "\x1b[33m", CRITICAL: "\x1b[31m"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    add_watch_argument(parser)
    parser.add_argument("--json", action="store_true", help="a JSON list, durations in seconds")


def run(args: argparse.Namespace) -> int:
    tasks = load_tasks(args.config)
    if args.task:
        tasks = [find_task(tasks, args.task, args.config)]
    state = state_directory(args.state_dir)
    clock = SystemClock()
    observers = {task.name: _observer(task, state, clock) for task in tasks}

    def draw() -> int:
        # Each look waits some seconds for counters to move, so they wait side by side.
        with ThreadPoolExecutor(_PARALLEL_LOOKS) as pool:
            looks = [pool.submit(_status, *pair, watch=args.watch) for pair in observers.items()]
        seen = [_as_called(look.result(), args) for look in looks]
        _print(seen, as_json=args.json)
        return exit_code(seen)

    return show(draw, watch=args.watch)


def exit_code(seen: Sequence[Status]) -> int:
    """The exit code of several tasks."""
    if any(status.severity == CRITICAL for status in seen):
        return ExitCode.CRASH
    if any(status.state not in (RUNNING, PAUSED, UNKNOWN) for status in seen):
        return ExitCode.NOT_RUNNING
    unknown = any(status.state == UNKNOWN or status.lag is None for status in seen)
    return ExitCode.UNKNOWN if unknown else ExitCode.OK


def lines(seen: Sequence[Status], *, colours: bool) -> list[str]:
    """The table, and below it what is wrong; the worst task first."""
    seen = sorted(seen, key=_rank)
    head, *body = fitting_lines([_row(status) for status in seen], _COLUMNS, _SPARE)
    coloured = [
        f"{_COLOURS[status.severity]}{line}\x1b[0m"
        if colours and _COLOURS[status.severity]
        else line
        for status, line in zip(seen, body, strict=True)
    ]
    reasons = [f"{status.task}: {reason}" for status in seen for reason in status.reasons]
    return [head, *coloured, *reasons]


def _rank(status: Status) -> tuple[int, bool]:
    return _WORST_FIRST.index(ExitCode(exit_code([status]))), status.severity == OK


def _observer(task: Task, state: Path, clock: Clock) -> Observer | OperatorError:
    try:
        return Observer(owned_files(task, state), clock, time.sleep)
    except OperatorError as error:
        return error


def _status(name: str, observer: Observer | OperatorError, *, watch: bool) -> Status:
    try:
        if isinstance(observer, OperatorError):
            raise observer
        return summarise(observer.look(patient=not watch))
    except OperatorError as error:
        return Status(name, UNKNOWN, WARN, reasons=(f"{error.message} Try: {error.hint}",))


def _as_called(seen: Status, args: argparse.Namespace) -> Status:
    return replace(seen, reasons=tuple(as_called(reason, args) for reason in seen.reasons))


def _print(seen: Sequence[Status], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(status) for status in seen])
        return
    colours = sys.stdout.isatty() or os.environ.get("CLICOLOR_FORCE") == "1"
    print("\n".join(lines(seen, colours=colours and "NO_COLOR" not in os.environ)))


def _row(status: Status) -> Row:
    return {
        "task": status.task,
        "state": status.state,
        "workers": status.workers,
        "shards": status.shards,
        "lag": duration(status.lag),
        "trims_in": duration(status.trims_in),
        "in/s": status.rate_in,
        "out/s": status.rate_out,
        "catch_up": duration(status.catch_up),
        "dead": status.dead_letters,
        "gaps": status.gaps,
        "proven": duration(status.proven),
        "differ": status.differences,
    }
