"""Run one task's daemon in the foreground, until it is stopped.

Checks what would otherwise fail late, locks this worker's id on this host, and becomes the Java
daemon. The task comes from a file (-c FILE [TASK]) or from the original library's flags. Several
tasks run side by side on one machine; the same task on several machines shares the work.

Stop it with Ctrl-C or SIGTERM: it checkpoints and hands its shards over. Started again, it goes
on from the last checkpoint; a first start reads the stream from its oldest change.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_task
from kcl_processor.config.original_flags import add_flags, given_flags, task_from_flags
from kcl_processor.config.render import gap_file
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.launch import daemon, preflight
from kcl_processor.launch.identity import claim, identity
from kcl_processor.state.restarts import pause_before_start

HELP = "run a task's daemon"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_task_arguments(parser)
    add_state_argument(parser)
    add_daemon_arguments(parser)
    add_flags(parser)


def add_daemon_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what ``run`` and ``start`` share."""
    parser.add_argument(
        "--log-dir",
        metavar="DIR",
        type=Path,
        help="write TASK-kcl.log and TASK-connectors.log there "
        "(default: kcl.log and connectors.log in this directory)",
    )
    parser.add_argument("--java", metavar="PATH", help="the java to run (default: JAVA_HOME, PATH)")
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="take the checkpoint table over, even if it belongs to another replica",
    )
    parser.add_argument(
        "--supervised",
        action="store_true",
        help="wait before the start, the longer the more often it was restarted of late",
    )


def run(args: argparse.Namespace) -> NoReturn:
    task, origin = _task(args)
    become_daemon(task, origin, args)


def become_daemon(task: Task, origin: str, args: argparse.Namespace) -> NoReturn:
    """Check, lock, prepare, and replace this process by the daemon's.

    Args:
        origin: what the task was read from.
        args: with the arguments of :func:`add_daemon_arguments` and ``--state-dir``.

    Raises:
        OperatorError: a check failed, or the task already runs on this host.
    """
    state = daemon.state_directory(args.state_dir)
    if args.supervised:
        time.sleep(pause_before_start(state / f"{task.name}.starts.json", time.time()))
    facts = preflight.check_source(task.source)
    destination_arn = preflight.check_destination(task.destination, facts.keys)
    lock = daemon.lock_worker(task)
    make_kcl_tables(task)
    ours = identity(facts, destination_arn)
    stream = claim(task, ours, args.adopt, gap_file(task, state))
    if stream != facts.stream_arn:
        print(
            f"The stream of {task.source} was turned off and on again; what is left of {stream} "
            "is read first.",
            file=sys.stderr,
        )
    logs = (args.log_dir or Path.cwd()).absolute()
    prefix = f"{task.name}-" if args.log_dir else ""
    launch = daemon.prepare(task, stream, origin, state, logs, prefix, args.java)
    print(
        f"Replicating {task.source} to {task.destination} as {task.name}; "
        f"logs: {logs / (prefix + 'connectors.log')}, {logs / (prefix + 'kcl.log')}",
        file=sys.stderr,
        flush=True,
    )
    assert lock.get_inheritable()
    os.execve(launch.command[0], launch.command, launch.environment)


def _task(args: argparse.Namespace) -> tuple[Task, str]:
    flags = given_flags(args)
    if flags and args.task:
        raise ConfigError(
            f"The task {args.task!r} comes from a file, and {flags[0]} describes another.",
            "give either a task of a file, or flags",
        )
    if flags:
        return task_from_flags(args), "the command line"
    task = chosen_task(args)
    if args.workerId:
        kcl = dataclasses.replace(task.kcl, worker_id=args.workerId)
        task = dataclasses.replace(task, kcl=kcl)
    return task, str(args.config)
