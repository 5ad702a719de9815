"""Prepare, copy, and run a task's daemon: the whole way to a replica in one command.

Turns the source's stream on (asks, or --yes) and creates the destination if it is missing, copies
the table, and becomes the daemon, which reads the stream from its oldest change. Started again, it
goes on where it was: with the copy, or with the daemon once the copy is done.
"""

from __future__ import annotations

import argparse

from kcl_processor.cli.copy import (
    add_copy_arguments,
    copy,
    copy_options,
    print_left_over,
    stopping,
)
from kcl_processor.cli.hint import again
from kcl_processor.cli.prepare import add_prepare_arguments, carry_out
from kcl_processor.cli.run import add_daemon_arguments, become_daemon, tell
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.config.task import Task
from kcl_processor.fleet.running import has_leases
from kcl_processor.launch.copy_mark import CopyState, read_mark
from kcl_processor.table import prepare
from kcl_processor.table.pace import Halted

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
    if _is_copied(task):
        tell(f"{task.name} is copied, or its daemon was started before: nothing is copied")
    else:
        with stopping() as halt:
            try:
                copied = copy(files, copy_options(args), halt)
            except Halted:
                tell(f"Stopped. {again(args, '--restart')} goes on from here.")
                return 130
        print_left_over(task, copied.progress, args)
    become_daemon(task, str(args.config), args)


def _is_copied(task: Task) -> bool:
    mark = read_mark(task)
    return mark.state is CopyState.DONE if mark else has_leases(task)
