"""Go on with what `pause` holds back, on all workers of a task.

In force within five seconds. What has waited is applied in its order, as fast as the destination
takes it. Without --shard, every pause of the task ends.

example:
  kcl-processor resume orders
"""

from __future__ import annotations

import argparse
import time

from kcl_processor.cli.pause import add_shard_argument, print_all, refuse_unstarted
from kcl_processor.cli.task import add_task_arguments, chosen_task
from kcl_processor.clock import SystemClock
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.fleet.events import note
from kcl_processor.fleet.pause import Pause, read_pauses, resume
from kcl_processor.launch.claim import refuse_foreign
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.operate.lease_reset import named

HELP = "go on with what is paused"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_shard_argument(parser)
    parser.add_argument("--json", action="store_true", help="what is still paused, a JSON list")


def run(args: argparse.Namespace) -> int:
    task, clock = chosen_task(args), SystemClock()
    refuse_foreign(task, clock, time.sleep)
    refuse_switched(task)
    before = read_pauses(task)
    shard = named(refuse_unstarted(task), args.shard).shard if args.shard else None
    if shard:
        _refuse_whole(task.name, shard, before)
    resume(task, shard)
    ended = [one for one in before if shard in (None, one.shard)]
    if ended:
        note(task, clock.now(), "resumed", shard, "by `resume`")
    if args.json:
        print_all(task)
    elif ended:
        print("\n".join(f"{_what(one)} goes on; {one.by} had paused it." for one in ended))
    else:
        print("Nothing of it was paused.")
    return ExitCode.OK


def _refuse_whole(task: str, shard: str, before: list[Pause]) -> None:
    """One shard does not go on while all are paused."""
    if any(one.shard is None for one in before):
        raise ConfigError(
            f"All of task {task} is paused, and shard {shard} with it.",
            f"kcl-processor resume {task}",
        )


def _what(pause: Pause) -> str:
    return f"Shard {pause.shard}" if pause.shard else "The task"
