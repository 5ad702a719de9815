"""One run of a copy beside the daemon: checks, what an earlier run left, and the copy itself."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

import orjson

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.launch import preflight
from kcl_processor.launch.live_mark import LiveMark, read_live_mark, replace_live_mark
from kcl_processor.launch.patience import once_passed
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.state.owner import own
from kcl_processor.table import copy_checks
from kcl_processor.table.copy_book import CopyBook
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.copy_sides import CopyOptions, Tables, describe
from kcl_processor.table.copy_task import (
    Copied,
    CopyRunning,
    await_others,
    lock_copy,
    new_progress,
    segments_in,
)
from kcl_processor.table.copy_watch import CopyListener, CopyWatch
from kcl_processor.table.crew import Crew, processes_for
from kcl_processor.table.held_row import Overtaken
from kcl_processor.table.live_ahead import Ahead, AheadRows
from kcl_processor.table.live_checks import GapWatch, refuse_unfollowed
from kcl_processor.table.live_hold import LiveHold
from kcl_processor.table.live_share import LiveShare
from kcl_processor.table.pace import Halt
from kcl_processor.table.part_row import PartRow
from kcl_processor.table.sides import Pair
from kcl_processor.table.table_copy import CopyReport
from kcl_processor.table.table_reader import Segment

WHOLE = Segment(0, 1)

T = TypeVar("T")


def run_live(
    files: TaskFiles, options: CopyOptions, listener: CopyListener, halt: Halt, clock: Clock
) -> Copied:
    """Copy what is left of a task's source, or of one part of it, beside the daemon.

    Returns:
        the finished progress; that of an earlier run if it had finished.

    Raises:
        ConfigError: the daemon was never started, or may pass over what changes meanwhile.
        GapError: all is copied, and the daemon has lost changes meanwhile.
        OperatorError: a check or the copy failed; what was copied stays, and is gone on from.
        Halted: ``halt`` was set.
    """
    task, part = files.task, options.part or WHOLE
    with ExitStack() as locks:
        # The copy of an earlier start may take some seconds to its end.
        lock = _within(options, CopyRunning, lambda: lock_copy(task, options.part), halt, clock)
        locks.enter_context(lock)
        own(files)

        def described() -> Tables:
            tables = describe(task, options)
            preflight.refuse_queue(task, listener.warn)
            return tables

        tables = _at_begin(options, described, listener, halt, clock)
        row = PartRow(task, part, clock, halt.wait)
        hold = LiveHold(task, part, row, tables.identity, clock, halt.wait)
        run = _Run(files, options, part, tables, row, hold, listener, halt, clock)
        return run.to_its_end()


def announce(
    files: TaskFiles, options: CopyOptions, tell: Callable[[str], None], clock: Clock
) -> None:
    """Begin a task's copy before its daemon is started: whoever copies joins it.

    So it is known from then on that a copy is to come, and that the destination held nothing.

    Raises:
        DestinationError: it holds items, and is to be empty.
        OperatorError: a side, or the checkpoints, cannot be described or written.
    """
    task = files.task
    own(files)
    tables = describe(task, options)
    preflight.refuse_queue(task, tell)
    make_kcl_tables(task)
    if read_live_mark(task) is None:
        if options.to_empty_only:
            copy_checks.refuse_items(task)
        to_empty = options.to_empty_only or not copy_checks.holds_items(task)
        mark = LiveMark.begun(
            uuid.uuid4().hex,
            clock.now(),
            WHOLE.total,
            segments_in(options, tables),
            tables.identity.rules,
            to_empty=to_empty,
        )
        replace_live_mark(task, None, mark)


def _at_begin(
    options: CopyOptions,
    step: Callable[[], T],
    listener: CopyListener,
    halt: Halt,
    clock: Clock,
) -> T:
    """Take a step of a copy's begin; beside a daemon that was started just now as any later one.

    Whoever types the command may have named another place, and is told at once.
    """
    return once_passed(step, clock, halt.wait, listener.warn) if options.patience else step()


def _within(
    options: CopyOptions,
    error: type[OperatorError],
    step: Callable[[], T],
    halt: Halt,
    clock: Clock,
) -> T:
    """Take a step, again and again while it fails so, for as long as the patience lasts."""
    until = clock.elapsed() + options.patience
    while True:
        try:
            return step()
        except error:
            if clock.elapsed() >= until:
                raise
        halt.wait(1.0)


@dataclass(frozen=True)
class _Run:
    files: TaskFiles
    options: CopyOptions
    part: Segment
    tables: Tables
    row: PartRow
    hold: LiveHold
    listener: CopyListener
    halt: Halt
    clock: Clock

    def to_its_end(self) -> Copied:
        progress = _at_begin(self.options, self._begun, self.listener, self.halt, self.clock)
        if progress.finished_at is None or not self.hold.is_done(progress):
            try:
                left = self._held(progress)
            finally:
                self.row.release(progress)
            self.listener.progress(progress)
            if left:
                self.listener.warn(f"{left} of {self.part.total} parts are not copied yet.")
                return Copied(progress, whole=False)
        else:
            self.listener.warn("The copy was finished before; nothing is copied.")
        self._gaps(progress).refuse()
        return Copied(progress, whole=True)

    def _gaps(self, progress: CopyProgress) -> GapWatch:
        tell = self.listener.warn
        return GapWatch(self.files, self.tables.identity, progress, tell, self.clock)

    def _begun(self) -> CopyProgress:
        """The progress to go on from, held, or a finished one."""
        hold, restart = self.hold, self.options.restart
        while True:
            found = self.row.load()
            hold.refuse_others(found, restart=restart)
            if found and hold.is_done(found):
                return found
            _within(self.options, ConfigError, self._refuse_unfollowed, self.halt, self.clock)
            mine = found if found and hold.is_of_last(found) else None
            progress = mine or self._new(hold.joined)
            # The stream was awaited for a while; later ones are the looks'.
            refuse_switched(self.files.task)
            try:
                hold.begin(progress)
            except Overtaken:
                # Another part began the copy, or went on with this one, and it is joined.
                if restart:
                    raise
            else:
                return progress

    def _refuse_unfollowed(self) -> None:
        refuse_unfollowed(self.files.task, self.tables.identity, self.clock, self.halt.wait)

    def _new(self, joined: LiveMark | None) -> CopyProgress:
        task, options, tables = self.files.task, self.options, self.tables
        now = self.clock.now()
        # A scan may miss what is younger, and the daemon may have its position from just now.
        self.halt.wait(copy_checks.SETTLED_SECONDS)
        began, segments = (
            (joined.started_at, joined.segments) if joined else (now, segments_in(options, tables))
        )
        # It may take longer than the stream keeps, for the daemon reads that meanwhile.
        progress = new_progress(options, tables, began, segments, forced=True)
        if joined:
            progress.token, progress.to_empty = joined.token, joined.to_empty
        else:
            copy_checks.await_stream(task.source, tables.stream_arn, now, self.halt.wait)
            progress.to_empty = not copy_checks.holds_items(task)
        return progress

    def _held(self, progress: CopyProgress) -> int:
        """Copy what is left; how many parts are not copied."""
        hold, halt = self.hold, self.halt

        gaps = self._gaps(progress)

        def look() -> None:
            self._patiently(lambda: hold.look(progress))
            gaps.look()

        watch = CopyWatch(progress, look, self.listener, halt, self.clock)
        try:
            look()
            await_others(hold, look, self.listener, halt)
            if progress.finished_at is None:
                self._copy(progress, watch)
            # What is noted on this host alone is told from the row, on whatever other.
            gaps.look(last=True)
            self._patiently(lambda: hold.look(progress))
            return self._patiently(lambda: hold.finish(progress))
        finally:
            halt.set()

    def _copy(self, progress: CopyProgress, watch: Callable[[], None]) -> None:
        ahead = AheadRows(self.files.task, self.part, progress.rules)
        book = CopyBook(
            progress, lambda saved: self._patiently(lambda: self.row.save(saved)), self.clock
        )
        left = sum(not segment.done for segment in progress.own_segments.values())
        count = processes_for(left, self.options.processes)
        share = LiveShare(
            self.files, progress, self.tables, count, self.hold.fence, self.halt, self.clock
        )
        again = f"kcl-processor copy --live {self.files.task.name} goes on from here"

        def hear(worker: int, report: Ahead | CopyReport) -> None:
            if isinstance(report, Ahead):
                ahead.hear(progress.token, worker, report)
            else:
                book.hear(worker, report)

        def write_down() -> None:
            self._patiently(ahead.save)
            book.save()

        of_all = self.part.number == 0
        named = self._patiently(lambda: ahead.load(progress.token, of_all=of_all))
        left_behind = self._of_these_tables(named)
        if left_behind:
            behind = Crew(1, lambda link: share.look_behind(left_behind, link), self.halt, again)
            behind.run(hear, write_down, watch)
        Crew(count, share.work, self.halt, again).run(hear, write_down, watch)
        book.close()
        self._patiently(ahead.clear)

    def _of_these_tables(self, pairs: list[Pair]) -> list[Pair]:
        """Without what an earlier copy has named of tables that had other keys: it went with them,
        and these refuse to be asked for it."""
        ours, theirs = (
            preflight.key_types(preflight.key_schema(table))
            for table in (self.tables.source, self.tables.destination)
        )
        return [
            pair
            for pair in pairs
            if _types_of(pair.key) == theirs and _types_of(pair.origin or pair.key) == ours
        ]

    def _patiently(self, step: Callable[[], T]) -> T:
        return once_passed(step, self.clock, self.halt.wait, self.listener.warn)


def _types_of(key: bytes) -> dict[str, str]:
    """The names of a key's attributes, with their types."""
    return {name: kind for name, value in orjson.loads(key).items() for kind in value}
