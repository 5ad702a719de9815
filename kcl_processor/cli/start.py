"""Prepare, run and copy a task: the whole way to a replica in one command.

Turns the source's stream on (asks, or --yes) and creates the destination if it is missing, becomes
the daemon, which reads the stream from its oldest change, and copies the table beside it for as
long as that takes, as copy --live does. Started again, it goes on where it was, with the copy, too.

With --copy-first the copy comes first, and the daemon when it is done. That costs less, and the
copy may take no longer than the stream keeps changes: 24 hours.

example:
  kcl-processor start orders --yes
"""

from __future__ import annotations

import argparse

from kcl_processor.cli.beside import set_beside
from kcl_processor.cli.copy import (
    add_copy_arguments,
    copy,
    copy_options,
    print_left_over,
    stopping,
)
from kcl_processor.cli.hint import again
from kcl_processor.cli.output import tell
from kcl_processor.cli.prepare import add_prepare_arguments, carry_out
from kcl_processor.cli.run import add_daemon_arguments, become_daemon
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_files
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Task
from kcl_processor.fleet.running import has_leases
from kcl_processor.launch.checked import check_once
from kcl_processor.launch.copy_mark import CopyState, read_mark
from kcl_processor.launch.live_mark import read_live_mark
from kcl_processor.table import prepare
from kcl_processor.table.live_task import announce
from kcl_processor.table.pace import Halted

HELP = "prepare, run and copy in one command"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    add_prepare_arguments(parser)
    parser.add_argument(
        "--copy-first", action="store_true", help="copy before the daemon starts, not beside it"
    )
    add_copy_arguments(parser)
    add_daemon_arguments(parser)
    parser.set_defaults(restart=False)


def run(args: argparse.Namespace) -> int:
    files = chosen_files(args)
    task = files.task
    # The copy would be for nothing.
    check_once(files.state)
    carry_out(task, prepare.plan(task, tags=args.tags, ttl=args.ttl), yes=args.yes)
    if _is_copied(task):
        tell(f"{task.name} is copied, or its daemon was started before: nothing is copied")
    elif args.copy_first or read_mark(task):
        # What one way has begun is gone on with in that way.
        with stopping() as halt:
            try:
                copied = copy(files, copy_options(args), halt)
            except Halted:
                tell(f"Stopped. {again(args, '--restart')} goes on from here.")
                return 130
        print_left_over(task, copied.progress, args)
    else:
        announce(files, copy_options(args), tell, SystemClock())
        become_daemon(task, str(args.config), args, lambda: set_beside(args, task))
    become_daemon(task, str(args.config), args)


def _is_copied(task: Task) -> bool:
    live = read_live_mark(task)
    if live:
        return live.state is CopyState.DONE
    mark = read_mark(task)
    return mark.state is CopyState.DONE if mark else has_leases(task)
