"""Run one task's daemon in the foreground, until it is stopped.

Checks what would otherwise fail late, locks this worker's id on this host, and becomes the Java
daemon. The task comes from a file (-c FILE [TASK]) or from the original library's flags. Several
tasks run side by side on one machine; the same task on several machines shares the work.

Stop it with Ctrl-C, SIGTERM or the end of its terminal: it checkpoints and hands its shards over.
Started again, it goes on from the last checkpoint; a first start reads the stream from its oldest
change.

examples:
  kcl-processor run orders
  kcl-processor run orders --workerId worker-2 --log-dir /var/log/orders
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from kcl_processor.cli.beside import healer
from kcl_processor.cli.hint import as_called
from kcl_processor.cli.output import tell
from kcl_processor.cli.task import add_state_argument, add_task_arguments, chosen_task
from kcl_processor.clock import Clock, SystemClock
from kcl_processor.config.original_flags import add_flags, given_flags, task_from_flags
from kcl_processor.config.paths import TaskFiles, state_directory
from kcl_processor.config.task import HEAL, STOP, Task, with_worker
from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.running import has_leases
from kcl_processor.launch import daemon, preflight
from kcl_processor.launch.checked import check_once
from kcl_processor.launch.claim import claim
from kcl_processor.launch.copy_mark import settle_mark
from kcl_processor.launch.daemon import Launch, Logs
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.live_mark import read_live_mark
from kcl_processor.launch.patience import once_renewed
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.operate.history import keep_death
from kcl_processor.state.ending import noting_failure
from kcl_processor.state.owner import own, owned_files
from kcl_processor.state.restarts import pause_before_start
from kcl_processor.table.copy_hold import mark_earlier
from kcl_processor.transform.transform import digest_of

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
        help="write TASK-kcl.log and TASK-connectors.log there (default: kcl.log and "
        "connectors.log in this directory); of a worker with an id of its own TASK@ID-kcl.log",
    )
    parser.add_argument("--java", metavar="PATH", help="the java to run (default: JAVA_HOME, PATH)")
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="take the checkpoint table over, whatever replica it belongs to, and give up a copy "
        "that is not whole; leases of another stream are saved to a file and go. Then "
        "verify --repair --delete-extra",
    )
    parser.add_argument(
        "--supervised",
        action="store_true",
        help="wait before the start, the longer the more often it was restarted of late",
    )


def run(args: argparse.Namespace) -> NoReturn:
    task, origin = _task(args)
    become_daemon(task, origin, args)


def become_daemon(
    task: Task, origin: str, args: argparse.Namespace, beside: Callable[[], None] = lambda: None
) -> NoReturn:
    """Check, lock, prepare, and replace this process by the daemon's.

    Args:
        origin: what the task was read from.
        args: with the arguments of :func:`add_daemon_arguments` and ``--state-dir``.
        beside: starts what runs beside it, when nothing speaks against the daemon any more.

    Raises:
        OperatorError: a check failed, or the task already runs on this host.
    """
    clock, files = SystemClock(), owned_files(task, state_directory(args.state_dir))
    if args.supervised:
        time.sleep(pause_before_start(files.starts, clock.now()))
    logs = Logs.of(task, args.log_dir)
    locks = daemon.lock_worker(task), daemon.lock_logs(logs)
    # Behind the locks: how a second start fails says nothing of the worker that runs.
    with noting_failure(files, clock):
        launch = once_renewed(
            lambda: _prepare(files, origin, logs, clock, args), clock, time.sleep, tell
        )
    tell(f"Replicating {task.source} to {task.destination} as {task.name}; logs: {logs}")
    assert all(lock.get_inheritable() for lock in locks)
    beside()
    if task.on_gap == HEAL:
        launch = launch.keeping(healer(args, task))
    os.execve(launch.command[0], launch.command, launch.environment)


def _prepare(
    files: TaskFiles, origin: str, logs: Logs, clock: Clock, args: argparse.Namespace
) -> Launch:
    task = files.task
    check_once(files.state)
    facts = _source(task)
    destination, transform = preflight.check_destination(task, facts.keys, facts.table)
    preflight.refuse_queue(task, tell)
    refuse_switched(task)
    own(files)
    make_kcl_tables(task)
    mark_earlier(files)
    ours = Identity(facts.table, facts.stream_arn, destination, digest_of(transform))
    started = has_leases(task)
    stream = claim(files, ours, clock, time.sleep, adopt=args.adopt)
    if stream != facts.stream_arn:
        tell(
            f"The stream of {task.source} was turned off and on again; what is left of {stream} "
            "is read first."
        )
    mark = settle_mark(task, clock.now(), started=started, adopt=args.adopt)
    if not started and mark is None and read_live_mark(task) is None:
        tell(
            as_called(
                f"{task.name} has no checkpoints and no copy: the stream is read from its oldest "
                f"change, and items that are older come with kcl-processor copy {task.name}, "
                f"before this, or with kcl-processor copy --live {task.name}, beside it.",
                args,
            )
        )
    keep_death(files)
    return daemon.make_launch(files, stream, origin, logs, args.java, transform)


def _source(task: Task) -> preflight.SourceFacts:
    try:
        return preflight.check_source(task.source)
    except preflight.StreamOff as off:
        if task.on_gap == STOP:
            raise
        # A code on which a supervisor starts again: the next stream is to be followed.
        raise OperatorError(
            f"{off.message} With on_gap: {task.on_gap} the next one is followed.", off.hint
        ) from off


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
    if args.workerId is not None:
        task = with_worker(task, args.workerId, "--workerId")
    return task, str(args.config)
