"""One run of a task's copy: locks, checks, the copy itself, and what watches it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Side, Task
from kcl_processor.errors import ConfigError, DestinationError, ExitCode, OperatorError, SourceError
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.running import StillRunning, refuse_running
from kcl_processor.launch import daemon, preflight
from kcl_processor.launch.copy_mark import refuse_stale
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.state import host_lock
from kcl_processor.state.owner import own
from kcl_processor.table import copy_checks
from kcl_processor.table.copy_book import CopyBook
from kcl_processor.table.copy_hold import CopyHold
from kcl_processor.table.copy_progress import CopyProgress, SegmentProgress, load, save
from kcl_processor.table.copy_share import CopyShare
from kcl_processor.table.copy_watch import CopyListener, CopyWatch
from kcl_processor.table.crew import Crew, processes_for
from kcl_processor.table.estimate import Capacity, capacity, estimate
from kcl_processor.table.estimate import rate as rate_of
from kcl_processor.table.pace import Halt
from kcl_processor.table.prepare import described_table
from kcl_processor.table.scan import segments_for


class CopyRunning(OperatorError):
    """A copy to the same destination is at work on this host."""

    exit_code = ExitCode.CONFIG


@dataclass(frozen=True)
class CopyOptions:
    """How to copy.

    Attributes:
        segments: ``None`` chooses by the table's size; a copy that goes on keeps its own.
        max_rcu, max_wcu: units a second, or a percentage of the provisioned capacity.
        force: copy although it takes longer than the stream keeps changes.
        to_empty_only: refuse a destination that holds items.
        restart: forget an earlier run.
        processes: how many share the work; ``None`` chooses by the host's cores.
    """

    segments: int | None = None
    max_rcu: str | None = None
    max_wcu: str | None = None
    force: bool = False
    to_empty_only: bool = True
    restart: bool = False
    processes: int | None = None


@dataclass(frozen=True)
class Tables:
    """Both sides as described, with what may be asked of them. Rates are units a second."""

    source: dict[str, Any]
    destination: dict[str, Any]
    stream_arn: str
    read_limit: float | None
    write_limit: float | None
    read: Capacity
    write: Capacity

    @property
    def identity(self) -> Identity:
        """What the checkpoints of a daemon between them belong to."""
        source, destination = map(Incarnation.of, (self.source, self.destination))
        return Identity(source, self.stream_arn, destination)

    @property
    def read_rate(self) -> float:
        return min(self.read.read, self.read_limit or self.read.read)

    @property
    def write_rate(self) -> float:
        return min(self.write.write, self.write_limit or self.write.write)


def run_copy(
    files: TaskFiles, options: CopyOptions, listener: CopyListener, halt: Halt, clock: Clock
) -> CopyProgress:
    """Copy what is left of a task's source to its destination.

    Returns:
        the finished progress; that of an earlier run if it had finished.

    Raises:
        OperatorError: a check or the copy failed; what was copied stays, and is gone on from,
            unless the error says that it is not.
        Halted: ``halt`` was set.
    """
    task = files.task
    with _lock(task), daemon.lock_worker(task, "stop it first: copy and daemon write alike"):
        own(files)
        tables = describe(task, options)
        make_kcl_tables(task)
        progress = None if options.restart else load(files.copy_progress)
        hold = CopyHold(files, tables.identity, clock, halt.wait)
        hold.refuse_others(progress, restart=options.restart)
        if progress and hold.is_done(progress):
            listener.warn("The copy was finished before; nothing is copied.")
            return progress
        signs = refuse_running(task, clock, halt.wait)
        progress = _checked(task, options, tables, progress, halt, clock)
        hold.begin(progress, signs)
        _held(files, tables, progress, options.processes, hold, listener, halt, clock)
        listener.progress(progress)
        return progress


def _held(
    files: TaskFiles,
    tables: Tables,
    progress: CopyProgress,
    processes: int | None,
    hold: CopyHold,
    listener: CopyListener,
    halt: Halt,
    clock: Clock,
) -> None:
    watch = CopyWatch(progress, lambda: hold.look(progress), listener, halt, clock)
    try:
        if progress.finished_at is None:
            _copy(files, tables, progress, processes, halt, clock, watch)
        hold.finish(progress, listener)
    except StillRunning as error:
        raise hold.disturb(progress, error.message.rstrip(".")) from error
    finally:
        halt.set()


def is_running(task: Task) -> bool:
    """Whether a copy of this task is at work on this host."""
    return host_lock.is_held(_lock_name(task.destination))


def describe(task: Task, options: CopyOptions) -> Tables:
    """Check and describe both sides.

    Raises:
        SourceError, DestinationError, PermissionDenied: as :mod:`preflight` does.
        ConfigError: a limit makes no sense for its table.
    """
    facts = preflight.check_source(task.source)
    preflight.check_destination(task.destination, facts.keys, facts.table)
    source = preflight.describe(task.source, SourceError, "check the source")
    destination = preflight.describe(task.destination, DestinationError, "check the destination")
    return _tables(options, source, destination, facts.stream_arn)


def describe_plan(task: Task, options: CopyOptions) -> Tables:
    """Describe both sides for a plan: a destination that is not there yet is like the source.

    Raises:
        SourceError, DestinationError, PermissionDenied: a side cannot be described.
        ConfigError: a limit makes no sense for its table.
    """
    source = preflight.describe(task.source, SourceError, "check the source")
    return _tables(options, source, described_table(task.destination) or source, "")


def _tables(
    options: CopyOptions, source: dict[str, Any], destination: dict[str, Any], stream_arn: str
) -> Tables:
    read, write = capacity(source), capacity(destination)
    return Tables(
        source,
        destination,
        stream_arn,
        limit("--max-rcu", options.max_rcu, read.read, provisioned=read.provisioned),
        limit("--max-wcu", options.max_wcu, write.write, provisioned=write.provisioned),
        read,
        write,
    )


def limit(option: str, given: str | None, units: float, *, provisioned: bool) -> float | None:
    """A limit in units a second.

    Raises:
        ConfigError: it is no number above 0, or a percentage of an on-demand table.
    """
    try:
        return rate_of(given, units, provisioned=provisioned)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}.", f"{option} 500, or {option} 50%") from error


def _lock(task: Task) -> socket.socket:
    lock = host_lock.hold(_lock_name(task.destination))
    if lock is None:
        raise CopyRunning(
            f"A copy to {task.destination} is already at work on this host.",
            f"kcl-processor copy {task.name} --status",
        )
    return lock


def _lock_name(destination: Side) -> str:
    return f"copy/{destination.region}/{destination.endpoint}/{destination.table}"


def _checked(
    task: Task,
    options: CopyOptions,
    tables: Tables,
    progress: CopyProgress | None,
    halt: Halt,
    clock: Clock,
) -> CopyProgress:
    """The progress to go on from, or a new one, when nothing speaks against it."""
    now = clock.now()
    if progress:
        progress.forced = progress.forced or options.force
        if not progress.forced:
            refuse_stale(task, progress.started_at, now)
        return progress
    if options.to_empty_only:
        copy_checks.refuse_items(task.destination)
    items, size = tables.source["ItemCount"], tables.source["TableSizeBytes"]
    if not options.force:
        copy_checks.refuse_slow(estimate(items, size, tables.read_rate, tables.write_rate))
    copy_checks.await_stream(task.source, tables.stream_arn, now, halt.wait)
    segments = options.segments or segments_for(size)
    return CopyProgress(
        str(tables.identity.source),
        str(tables.identity.destination),
        tables.stream_arn,
        items,
        size,
        started_at=now,
        segments=[SegmentProgress() for _ in range(segments)],
        to_empty=options.to_empty_only,
        forced=options.force,
    )


def _copy(
    files: TaskFiles,
    tables: Tables,
    progress: CopyProgress,
    processes: int | None,
    halt: Halt,
    clock: Clock,
    watch: Callable[[], None],
) -> None:
    book = CopyBook(progress, lambda progress: save(files.copy_progress, progress), clock)
    book.save()
    left = sum(not segment.done for segment in progress.segments)
    count = processes_for(left, processes)
    items, size = tables.source["ItemCount"], tables.source["TableSizeBytes"]
    share = CopyShare(
        files,
        progress.segments,
        preflight.key_schema(tables.source),
        size / items if items else 0.0,
        tables.read_limit,
        tables.write_limit,
        count,
        halt,
        clock,
    )
    again = f"kcl-processor copy {files.task.name} goes on from here"
    Crew(count, share.work, halt, again).run(book.hear, book.save, watch)
    book.close()
