"""Let nothing more out to the destination, on all workers of a task, until `resume`.

In force within five seconds, kept over restarts and rollovers. What was sent by then and is not
taken by the destination is sent again until it is. The workers keep their shards and checkpoint
what is written; `status` and `health` say who paused it and when. The stream's clock runs: it keeps
a change for 24 hours, and `health` fails when a pause has used up 18 of them.

  kcl-processor pause orders                        all shards
  kcl-processor pause orders --shard 00000001-abcd  one, by the end of its name
"""

from __future__ import annotations

import argparse
import time

from kcl_processor.aws import clients
from kcl_processor.cli import ranges
from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import print_json
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.fleet.events import note
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import Lease, read_leases
from kcl_processor.fleet.pause import IN_FORCE, Pause, pause, read_pauses, whoever
from kcl_processor.launch.claim import refuse_foreign
from kcl_processor.operate.lease_reset import named

HELP = "let nothing more out to the destination"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_shard_argument(parser)
    parser.add_argument("--json", action="store_true", help="all pauses of the task, a JSON list")


def add_shard_argument(parser: argparse.ArgumentParser) -> None:
    """Add what names the one shard that is meant."""
    parser.add_argument(
        "--shard",
        metavar="S",
        type=ranges.shard,
        help="only this shard; S may be an end of its name",
    )


def run(args: argparse.Namespace) -> int:
    task, clock = chosen_task(args), SystemClock()
    refuse_foreign(task, clock, time.sleep)
    leases = refuse_unstarted(task)
    shard = named(leases, args.shard).shard if args.shard else None
    pause(task, Pause(shard, whoever(), clock.now()))
    note(task, clock.now(), "paused", shard, "by `pause`")
    if args.json:
        print_all(task)
        return ExitCode.OK
    what = f"shard {shard} of task {task.name}" if shard else f"task {task.name}"
    print(
        f"In {IN_FORCE} s nothing more of {what} is applied, but for batches that were begun and "
        "that the destination does not take. The stream keeps it for 24 h."
    )
    print(as_called(f"Next: kcl-processor resume {task.name}", args))
    return ExitCode.OK


def refuse_unstarted(task: Task) -> list[Lease]:
    """The leases of a task that has been run.

    Raises:
        ConfigError: it never ran, and there is nobody who would look.
        OperatorError, PermissionDenied: they cannot be read.
    """
    leases = read_leases(clients.checkpoints(task), table_names(task))
    if not leases:
        raise ConfigError(
            f"Task {task.name} has no leases: no daemon was ever started.",
            f"kcl-processor status {task.name}",
        )
    return leases


def print_all(task: Task) -> None:
    """What is paused now."""
    pauses = read_pauses(task)
    print_json([{"shard": one.shard, "by": one.by, "at": one.at} for one in pauses])
