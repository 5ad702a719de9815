"""List what belongs to a task and outlives it; delete it with --yes.

KCL's three tables, the alarms of `dashboard --alarms`, and the task's files on this host. The
source and the destination are not touched, nor is the source's stream. Refuses while a worker of
the task or a copy lives, verify compares part by part, or a switchover denies writes. Without the
checkpoints a later start reads the whole stream again. What is no task's stays: in the state
directory the host's class archive (classes-*.jsa) and the note of which jars were checked
(checked-jars), which the next start makes again.

examples:
  kcl-processor uninstall orders
  kcl-processor uninstall orders --yes
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from kcl_processor.cli.hint import again
from kcl_processor.cli.output import Row, print_rows
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.clock import Clock, SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.fleet.running import StillRunning, refuse_running
from kcl_processor.launch.claim import refuse_foreign
from kcl_processor.launch.copy_mark import refuse_copying
from kcl_processor.launch.daemon import running_workers
from kcl_processor.launch.live_mark import refuse_live_copying
from kcl_processor.launch.switch_mark import refuse_denied
from kcl_processor.operate import uninstall
from kcl_processor.operate.switchover import forgotten
from kcl_processor.table.copy_task import refuse_copying_here
from kcl_processor.table.proof_notes import refuse_proving

HELP = "list, and with --yes delete, what belongs to a task"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    parser.add_argument("--yes", action="store_true", help="delete it")
    parser.add_argument("--json", action="store_true", help="a JSON list")


def run(args: argparse.Namespace) -> int:
    files = chosen_files(args)
    refuse_foreign(files.task, SystemClock(), time.sleep)
    found = uninstall.belongings(files)
    rows: list[Row] = [{"kind": b.kind, "name": b.name, "holds": b.holds} for b in found]
    print_rows(rows, ("kind", "name", "holds"), as_json=args.json)
    if args.yes:
        refuse_living(files, SystemClock(), time.sleep)
        refuse_denied(files.task)
        _refuse_forgotten(files.task, SystemClock())
        for belonging in found:
            uninstall.delete(files, belonging)
    if not args.json:
        print(f"{len(found)} deleted." if args.yes or not found else _left(found, args))
    return ExitCode.OK


def refuse_living(files: TaskFiles, clock: Clock, wait: Callable[[float], None]) -> None:
    """Keep off a task of which a worker, a copy or a comparison in parts lives.

    Raises:
        StillRunning, ConfigError, CopyRunning: one lives.
    """
    _refuse_here(files)
    refuse_running(files.task, clock, wait)
    refuse_copying(files.task, clock, wait)
    refuse_live_copying(files.task, clock, wait)
    refuse_proving(files.task, clock.now())
    # Who has started while the others were watched has moved nothing yet.
    _refuse_here(files)


def _refuse_forgotten(task: Task, clock: Clock) -> None:
    """Nobody would look for a statement of this task's that denies writes."""
    for frozen in forgotten(task, clock, time.sleep):
        raise ConfigError(
            f"Statement {frozen.sid} in the policy of {task.source} denies writes, of a switchover "
            f"of task {task.name} that is not there any more.",
            f"kcl-processor switchover {task.name} --back",
        )


def _refuse_here(files: TaskFiles) -> None:
    """What has only just started, or is stopped by a signal, moves nothing in KCL's tables."""
    if running := running_workers(files):
        raise StillRunning(
            f"Task {files.task.name} runs on this host, or is copied here, under the worker id "
            f"{', '.join(running)}.",
            "stop it first, then try again",
        )
    refuse_copying_here(files.task)


def _left(found: list[uninstall.Belonging], args: argparse.Namespace) -> str:
    return f"{len(found)} not deleted. Try: {again(args)} --yes"
