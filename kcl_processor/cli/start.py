"""Prepare, copy, and run a task's daemon: the whole way to a replica in one command.

Turns the source's stream on (asks, or --yes) and creates the destination if it is missing, copies
the table, and becomes the daemon, which reads the stream from its oldest change. Started again, it
goes on where it was: with the copy, or with the daemon once the copy is done.
"""

from __future__ import annotations

import argparse
import sys

from kcl_processor.cli.copy import add_copy_arguments, copy, copy_options, stopping
from kcl_processor.cli.prepare import add_prepare_arguments, carry_out
from kcl_processor.cli.run import add_daemon_arguments, become_daemon
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.clock import SystemClock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.fleet.running import has_leases
from kcl_processor.table import copy_checks, prepare
from kcl_processor.table.copy_progress import load
from kcl_processor.table.pace import Halt, Halted

HELP = "prepare, copy and run in one command"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    add_prepare_arguments(parser)
    add_copy_arguments(parser)
    add_daemon_arguments(parser)
    parser.set_defaults(restart=False)


def run(args: argparse.Namespace) -> int:
    files = chosen_files(args)
    task = files.task
    carry_out(task, prepare.plan(task, tags=args.tags, ttl=args.ttl), yes=args.yes)
    if has_leases(task) and not _unfinished(files):
        _say(f"{task.kcl.application_name} holds checkpoints: nothing is copied")
    else:
        with stopping() as halt:
            try:
                _copy_once(files, args, halt)
            except Halted:
                _say(f"Stopped. kcl-processor start {task.name} goes on from here.")
                return 130
    become_daemon(task, str(args.config), args)


def _unfinished(files: TaskFiles) -> bool:
    progress = load(files.copy_progress)
    return progress is not None and progress.finished_at is None


def _copy_once(files: TaskFiles, args: argparse.Namespace, halt: Halt) -> None:
    """Copy, unless that is done; refuse a copy whose changes are leaving the stream.

    Raises:
        GapError: the copy is done, and began more than 23 hours ago.
    """
    progress = copy(files, copy_options(args), halt)
    if not args.force:
        copy_checks.refuse_stale(progress, SystemClock().now())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
