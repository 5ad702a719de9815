"""One run of a task's copy: locks, checks, the copy itself, and what watches it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Side, Task
from kcl_processor.errors import DestinationError, ExitCode, OperatorError
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.running import StillRunning, refuse_running
from kcl_processor.launch import daemon, preflight
from kcl_processor.launch.copy_mark import BEAT, CopyMark, anew, refuse_stale
from kcl_processor.launch.live_mark import refuse_live_unfinished
from kcl_processor.launch.patience import once_renewed
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.replicate.write import Fence
from kcl_processor.state import host_lock
from kcl_processor.state.owner import own
from kcl_processor.table import copy_checks
from kcl_processor.table.copy_book import CopyBook
from kcl_processor.table.copy_hold import CopyHold
from kcl_processor.table.copy_progress import CopyProgress, ProgressFile, SegmentProgress
from kcl_processor.table.copy_share import CopyShare
from kcl_processor.table.copy_sides import CopyOptions, Tables, describe
from kcl_processor.table.copy_watch import CopyListener, CopyWatch
from kcl_processor.table.crew import Crew, processes_for
from kcl_processor.table.estimate import estimate
from kcl_processor.table.export import check_files
from kcl_processor.table.export_reader import files_of, segments_of
from kcl_processor.table.held_row import Overtaken
from kcl_processor.table.pace import Halt
from kcl_processor.table.part_hold import PartHold
from kcl_processor.table.part_row import PartRow
from kcl_processor.table.scan import FEWEST, segments_for
from kcl_processor.table.table_reader import Segment

T = TypeVar("T")


class CopyRunning(OperatorError):
    """A copy to the same destination is at work on this host."""

    exit_code = ExitCode.CONFIG


@dataclass(frozen=True)
class Copied:
    """What a run came to.

    Attributes:
        whole: whether all of the table is copied: of one in parts, by all of them.
    """

    progress: CopyProgress
    whole: bool


def run_copy(
    files: TaskFiles, options: CopyOptions, listener: CopyListener, halt: Halt, clock: Clock
) -> Copied:
    """Copy what is left of a task's source, or of one part of it, to its destination.

    Returns:
        the finished progress; that of an earlier run if it had finished.

    Raises:
        OperatorError: a check or the copy failed; what was copied stays, and is gone on from,
            unless the error says that it is not.
        Halted: ``halt`` was set.
    """
    task, part = files.task, options.part
    with ExitStack() as locks:
        locks.enter_context(lock_copy(task, part))
        if part is None:
            hint = "stop it first: copy and daemon write alike"
            locks.enter_context(daemon.lock_worker(task, hint))
        own(files)
        tables = describe(task, options)
        preflight.refuse_queue(task, listener.warn)
        make_kcl_tables(task)
        if not options.restart:
            instead = f"or {anew(task)}, with the daemon stopped"
            refuse_live_unfinished(task, "copy without --live", clock.now(), instead)
        if part is None:
            hold = CopyHold(files, tables.identity, clock, halt.wait)
            kept = Kept(ProgressFile(files.copy_progress), hold)
        else:
            row = PartRow(task, part, clock, halt.wait)
            kept = Kept(row, PartHold(files, part, row, tables.identity, clock, halt.wait))
        return _run(files, options, tables, kept, listener, halt, clock)


class Store(Protocol):
    """Where a copy's progress lies."""

    def load(self) -> CopyProgress | None:
        """Read it; ``None`` when there is none."""

    def save(self, progress: CopyProgress) -> None:
        """Make it durable."""

    def release(self, progress: CopyProgress) -> None:
        """Let others go on from there."""


class Alone(Protocol):
    """What says when nothing of another copy is on its way any more."""

    def seconds_to_alone(self) -> float:
        """As :meth:`Hold.seconds_to_alone`."""


@dataclass(frozen=True)
class Kept:
    """Where the progress of a run is kept, and what keeps others out."""

    store: Store
    hold: CopyHold | PartHold


def _run(
    files: TaskFiles,
    options: CopyOptions,
    tables: Tables,
    kept: Kept,
    listener: CopyListener,
    halt: Halt,
    clock: Clock,
) -> Copied:
    task, hold = files.task, kept.hold
    while True:
        progress = None if options.restart else kept.store.load()
        hold.refuse_others(progress, restart=options.restart)
        if progress and hold.is_done(progress):
            if tables.export:
                copy_checks.refuse_other_export(task, progress.export, tables.export)
            listener.warn("The copy was finished before; nothing is copied.")
            return Copied(progress, whole=True)
        signs = refuse_running(task, clock, halt.wait)
        try:
            progress = _checked(task, options, tables, hold, progress, halt, clock)
            tables = _whole(task, tables, progress)
            # The daemon was watched for a while; later ones are the looks'.
            refuse_switched(task)
            hold.begin(progress, signs)
            break
        except Overtaken:
            # What is left of the part is less than was read; or another began the copy.
            if options.restart:
                raise
        except DestinationError:
            # Of parts that start at the same time one begins the copy, and the others join it: it
            # may have filled the destination that a copy is to find empty.
            if options.restart or not hold.was_overtaken():
                raise
    try:
        whole = _held(files, tables, progress, kept, options.processes, listener, halt, clock)
    finally:
        kept.store.release(progress)
    listener.progress(progress)
    return Copied(progress, whole)


def _held(
    files: TaskFiles,
    tables: Tables,
    progress: CopyProgress,
    kept: Kept,
    processes: int | None,
    listener: CopyListener,
    halt: Halt,
    clock: Clock,
) -> bool:
    hold = kept.hold

    def patiently(step: Callable[[], T]) -> T:
        # Meanwhile nothing is written: the fence falls.
        return once_renewed(step, clock, halt.wait, listener.warn)

    def save(progress: CopyProgress) -> None:
        patiently(lambda: kept.store.save(progress))

    def look() -> None:
        patiently(lambda: hold.look(progress))

    watch = CopyWatch(progress, look, listener, halt, clock)
    try:
        if progress.finished_at is None:
            book = CopyBook(progress, save, clock)
            # Taking a part's row may have taken longer than another copy.
            look()
            await_others(hold, look, listener, halt)
            _copy(files, tables, progress, book, hold.fence, processes, halt, clock, watch)
        return patiently(lambda: hold.finish(progress, listener))
    except StillRunning as error:
        raise hold.disturb(progress, error.message.rstrip(".")) from error
    finally:
        halt.set()


def await_others(hold: Alone, look: Callable[[], None], listener: CopyListener, halt: Halt) -> None:
    """Write nothing beside a copy whose place this one has taken, wherever it is at work."""
    if seconds := hold.seconds_to_alone():
        listener.warn(f"Another copy may be at work still: waiting {seconds:.0f} s for its end.")
    while seconds := hold.seconds_to_alone():
        halt.wait(min(BEAT, seconds))
        look()


def is_running(task: Task) -> bool:
    """Whether a whole copy of this task is at work on this host."""
    return host_lock.is_held(_lock_name(task.destination))


def refuse_copying_here(task: Task) -> None:
    """Keep off a copy of this task on this host, or a part of one, also one that has only just
    started or is stopped by a signal.

    Raises:
        CopyRunning: there is one.
    """
    if host_lock.is_held_or_shared(_lock_name(task.destination)):
        raise CopyRunning(
            f"A copy to {task.destination}, or a part of one, is at work on this host.",
            "stop it first, then try again",
        )


def lock_copy(task: Task, part: Segment | None) -> socket.socket:
    """Hold a copy, or a part of one, on this host.

    Raises:
        CopyRunning: a live process on this host holds it.
    """
    share = f"/{part.number}/{part.total}" if part else ""
    lock = host_lock.hold(_lock_name(task.destination), share)
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
    hold: CopyHold | PartHold,
    progress: CopyProgress | None,
    halt: Halt,
    clock: Clock,
) -> CopyProgress:
    """The progress to go on from, or a new one, when nothing speaks against it."""
    now = clock.now()
    if progress and hold.is_of_last(progress):
        copy_checks.refuse_other_export(task, progress.export, tables.export)
        progress.forced = progress.forced or options.force
        if not progress.forced:
            refuse_stale(task, progress.started_at, now)
        return progress
    if hold.joined:
        copy_checks.refuse_other_export(task, hold.joined.export, tables.export)
        return _joined(options, tables, hold.joined)
    if options.to_empty_only:
        copy_checks.refuse_items(task)
    export = tables.export
    began = export.time if export else now
    if not options.force:
        refuse_stale(task, began, now)
        estimated = estimate(tables.items, tables.bytes, tables.read_rate, tables.write_rate)
        copy_checks.refuse_slow(estimated, ruled=task.rules is not None, passed=now - began)
    if export:
        copy_checks.refuse_late_stream(task.source, tables.stream_arn, export)
        return new_progress(options, tables, began, segments_of(export), forced=options.force)
    copy_checks.await_stream(task.source, tables.stream_arn, now, halt.wait)
    return new_progress(options, tables, began, segments_in(options, tables), forced=options.force)


def _whole(task: Task, tables: Tables, progress: CopyProgress) -> Tables:
    """The tables, with what is left of an export found whole."""
    export, total = tables.export, len(progress.segments)
    if export is None:
        return tables
    left = [number for number, one in progress.own_segments.items() if not one.done]
    files = [file for number in left for file in files_of(export, Segment(number, total))]
    return replace(tables, export=check_files(task.source, export, files))


def _joined(options: CopyOptions, tables: Tables, mark: CopyMark) -> CopyProgress:
    """The progress of a part of a copy that another part has begun."""
    progress = new_progress(options, tables, mark.started_at, mark.segments, forced=mark.forced)
    progress.token, progress.to_empty = mark.token, mark.to_empty
    return progress


def segments_in(options: CopyOptions, tables: Tables) -> int:
    """How many segments a copy of the table itself scans, in all its parts together."""
    parts = options.part.total if options.part else 1
    least = FEWEST * parts if parts > 1 else 0
    return options.segments or max(segments_for(tables.bytes), least)


def new_progress(
    options: CopyOptions, tables: Tables, started_at: float, segments: int, *, forced: bool
) -> CopyProgress:
    """The progress of a copy, or of a part of one, of which nothing is copied yet."""
    part = options.part or Segment(0, 1)
    return CopyProgress(
        str(tables.identity.source),
        str(tables.identity.destination),
        tables.stream_arn,
        tables.items // part.total,
        tables.bytes // part.total,
        started_at=started_at,
        segments=[SegmentProgress() for _ in range(segments)],
        part=part.number,
        parts=part.total,
        to_empty=options.to_empty_only,
        forced=forced,
        rules=tables.identity.rules,
        export=tables.export.arn if tables.export else "",
    )


def _copy(
    files: TaskFiles,
    tables: Tables,
    progress: CopyProgress,
    book: CopyBook,
    fence: Fence,
    processes: int | None,
    halt: Halt,
    clock: Clock,
    watch: Callable[[], None],
) -> None:
    book.save()
    left = sum(not segment.done for segment in progress.own_segments.values())
    count = processes_for(left, processes)
    share = CopyShare(files, progress, tables, count, fence, halt, clock)
    of = f" --from-export {tables.export.url}" if tables.export else ""
    again = f"kcl-processor copy {files.task.name}{of} goes on from here"
    Crew(count, share.work, halt, again).run(book.hear, book.save, watch)
    book.close()
