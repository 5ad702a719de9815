"""The copy: the source's segments to the destination, page by page, durably.

Each round holds at most one page of a segment. It is written, then the progress is saved, then
the next round begins: a copy that was killed repeats one page a segment and nothing else. Writing
an item twice does no harm, as long as no daemon writes newer ones.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import ceil, inf
from pathlib import Path

from kcl_processor.aws.wire import Answer
from kcl_processor.clock import Clock
from kcl_processor.errors import OperatorError, PoisonError
from kcl_processor.replicate.change import Change, key_names
from kcl_processor.replicate.destination import Destination
from kcl_processor.replicate.refusals import without_values
from kcl_processor.replicate.write import Writer
from kcl_processor.table.copy_progress import CopyProgress, save
from kcl_processor.table.pace import Halt, Pace
from kcl_processor.table.scan import Rounds, SegmentCursor
from kcl_processor.table.table_reader import Page, Segment, TableReader

# Seconds over which the speed is measured.
_SPEED_WINDOW = 60.0
# The place in a shard of what comes from no shard.
_NO_RECORD = "0"


class OpenFence:
    """Nobody else writes during a copy, which is checked elsewhere."""

    def hold(self) -> None:
        """Let the writer go on."""

    def remaining(self) -> float:
        """For ever, as far as others go."""
        return inf


class PacedDestination:
    """A destination whose write capacity is consumed at a rate."""

    def __init__(self, destination: Destination, pace: Pace) -> None:
        self.table = destination.table
        self._destination = destination
        self._pace = pace

    def send(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Answer:
        expected = float(sum(map(_units, changes)))
        self._pace.take(expected)
        answer = self._destination.send(changes, remaining)
        self._pace.settle(expected, answer.consumed)
        return answer


class StopOnRefusedItem:
    """``on_poison: stop`` for a copy, whose items are in no shard."""

    def __init__(self, source: str, destination: str) -> None:
        self._source = source
        self._destination = destination

    def refuse(self, change: Change, answer: Answer) -> None:
        """Raise :class:`PoisonError`, naming none of the item's values."""
        raise PoisonError(
            f"Table {self._destination} never accepts an item of table {self._source} "
            f"(key attributes {', '.join(key_names([change]))}): "
            f"{answer.error}: {without_values(answer.message, change)}.",
            "mend the cause on the destination, or set `on_poison: dead-letter` for this task; "
            "copy again goes on from here",
        )


class TableCopy:
    """One run of a copy.

    Args:
        progress: where to go on from; kept up to date, in memory and in ``path``.
        halt: ends the run when it is set.
        on_turn: called at least once a second, and after each round; what it raises ends the run.
    """

    def __init__(
        self,
        reader: TableReader,
        writer: Writer,
        progress: CopyProgress,
        path: Path,
        pool: ThreadPoolExecutor,
        halt: Halt,
        clock: Clock,
        on_turn: Callable[[], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._progress = progress
        self._path = path
        self._pool = pool
        self._halt = halt
        self._clock = clock
        self._on_turn = on_turn
        self._meter = _Meter(progress, reader, writer, clock)

    def run(self) -> None:
        """Copy what is left.

        Raises:
            OperatorError: a side fails, or fewer items were written than read.
            Halted: ``halt`` was set; all that was saved is durable.
        """
        self._save()
        for fetched in Rounds(self._cursors(), self._pool, self._halt, self._on_turn):
            pages: list[tuple[SegmentCursor, Page]] = fetched
            self._apply(pages)
            self._on_turn()
        # A write that was lost on its way must not land behind the daemon's, which come next.
        self._writer.settle(OpenFence())
        self._check_count()
        self._progress.finished_at = self._clock.now()
        self._save()

    def _cursors(self) -> Iterator[SegmentCursor]:
        segments = self._progress.segments
        for number, segment in enumerate(segments):
            if not segment.done:
                place = Segment(number, len(segments))
                yield SegmentCursor(self._reader, place, segment.after)

    def _apply(self, fetched: list[tuple[SegmentCursor, Page]]) -> None:
        changes = [
            Change(key, image, _NO_RECORD, 0) for _, page in fetched for key, image in page.items
        ]
        self._writer.write(changes, OpenFence())
        for cursor, page in fetched:
            segment = self._progress.segments[cursor.segment.number]
            segment.after = page.last_key
            segment.done = page.last_key is None
            segment.items += len(page.items)
        self._progress.items += len(changes)
        self._progress.bytes += sum(len(change.image or b"") for change in changes)
        self._save()

    def _save(self) -> None:
        self._meter.read()
        save(self._path, self._progress)

    def _check_count(self) -> None:
        progress = self._progress
        if progress.items != progress.written + progress.refused:
            raise OperatorError(
                f"{progress.items} items were read and {progress.written} written, "
                f"{progress.refused} set aside: the copy is not whole.",
                "please report this; copy --restart begins anew",
            )


class _Meter:
    """Adds what a run has done to the progress of the whole copy."""

    def __init__(
        self, progress: CopyProgress, reader: TableReader, writer: Writer, clock: Clock
    ) -> None:
        self._progress = progress
        self._reader = reader.tally
        self._writer = writer.tally
        self._clock = clock
        self._began = clock.elapsed()
        self._before = replace(progress)
        self._points = deque([(self._began, progress.items)])

    def read(self) -> None:
        """Bring the figures up to date."""
        progress, before, now = self._progress, self._before, self._clock.elapsed()
        progress.seconds = before.seconds + now - self._began
        progress.read_units = before.read_units + self._reader.consumed
        progress.write_units = before.write_units + self._writer.consumed
        progress.read_throttled = before.read_throttled + self._reader.throttled
        progress.write_throttled = before.write_throttled + self._writer.throttled
        progress.written = before.written + self._writer.written
        progress.refused = before.refused + self._writer.refused
        progress.updated_at = self._clock.now()
        progress.pid = os.getpid()
        progress.items_per_second = self._speed(now)

    def _speed(self, now: float) -> float:
        self._points.append((now, self._progress.items))
        while now - self._points[0][0] > _SPEED_WINDOW:
            self._points.popleft()
        then, items = self._points[0]
        return (self._progress.items - items) / (now - then) if now > then else 0.0


def _units(change: Change) -> int:
    """Write units of one change: 1 KB each (developer guide, "Read and write operations")."""
    return max(1, ceil(len(change.image or b"") / 1024))
