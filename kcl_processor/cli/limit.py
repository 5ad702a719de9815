"""Let all workers of a task together write no more than so many WCU a second, or end that.

In force within five seconds, kept over restarts and rollovers. The limit is of what replication
consumes at the destination, its indexes included, and is shared among the shards by what they need;
`copy`, `replay` and `verify --repair` are not part of it. `status` and `health` say who limited it
and when, and how many shards wait. The stream's clock runs: it keeps a change for 24 hours, and
`health` fails when 18 of them are used up.

  kcl-processor limit orders --max-wcu 200
  kcl-processor limit orders --off
"""

from __future__ import annotations

import argparse
import time

from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import print_json
from kcl_processor.cli.pause import refuse_unstarted
from kcl_processor.cli.ranges import pace
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.clock import SystemClock
from kcl_processor.errors import ExitCode
from kcl_processor.fleet.events import note
from kcl_processor.fleet.limit import IN_FORCE, Limit, limit, read_limit, unlimit
from kcl_processor.fleet.pause import whoever
from kcl_processor.launch.claim import refuse_foreign

HELP = "hold replication to a number of write units a second"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "--max-wcu", metavar="N", type=pace, help="write at most N capacity units a second"
    )
    chosen.add_argument("--off", action="store_true", help="write as fast as the destination takes")
    parser.add_argument("--json", action="store_true", help="the limit, a JSON object or null")


def run(args: argparse.Namespace) -> int:
    task, clock = chosen_task(args), SystemClock()
    refuse_foreign(task, clock, time.sleep)
    before = read_limit(task)
    if args.off:
        unlimit(task)
        if before:
            note(task, clock.now(), "unlimited", None, "by `limit --off`")
        said = f"The task was {before}." if before else "The task was not limited."
    else:
        refuse_unstarted(task)
        limit(task, Limit(args.max_wcu, whoever(), clock.now()))
        note(task, clock.now(), "limited", None, f"to {args.max_wcu:g} WCU/s by `limit`")
        said = (
            f"In {IN_FORCE} s all workers of task {task.name} together write at most "
            f"{args.max_wcu:g} WCU/s. What waits the stream keeps for 24 h.\n"
        ) + as_called(f"Next: kcl-processor status {task.name}", args)
    if args.json:
        _print_now(read_limit(task))
    else:
        print(said)
    return ExitCode.OK


def _print_now(now: Limit | None) -> None:
    print_json(now and {"wcu": now.wcu, "by": now.by, "at": now.at, "waiting": now.waiting})
