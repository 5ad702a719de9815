"""Parallel scans in rounds: several segments at once, each segment's pages in order.

While the pages of one round are being handled, the next page of each of their segments is already
being fetched. So at most two pages of a segment are in memory, and a segment is never more than
one page ahead of what was handled.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Generic, Protocol, TypeVar

from kcl_processor.table.pace import Halt
from kcl_processor.table.table_reader import Page, Segment, TableReader

# One segment for each 256 MB keeps what a restart repeats small beside the whole; DynamoDB takes
# up to a million, and a thousand is enough to keep any number of threads busy.
_BYTES_PER_SEGMENT = 256 << 20
FEWEST, MOST = 32, 1024
# Segments at work at once in one process, with a page each: this bounds memory.
AT_ONCE = 6
# Seconds without a page after which the caller is told that time goes by.
_TURN = 1.0


def segments_for(table_bytes: int) -> int:
    """How many segments to cut a table of this size into."""
    return max(FEWEST, min(MOST, -(-table_bytes // _BYTES_PER_SEGMENT)))


def at_once_in(processes: int, segments: int) -> int:
    """How many segments each of some processes has at work at once: all have their share."""
    return max(1, min(AT_ONCE, -(-segments // processes)))


Fetched = TypeVar("Fetched", covariant=True)


class Cursor(Protocol[Fetched]):
    """A place in a segment that moves on page by page; never called by two threads at once."""

    def more(self) -> bool:
        """Whether there is another page."""

    def fetch(self) -> Fetched:
        """Read the next page."""


class PageCursor(Cursor[Page], Protocol):
    """A cursor at a segment of what is copied."""

    segment: Segment


class SegmentCursor:
    """Reads one segment of one table.

    Args:
        after: the key to start behind, from an earlier run; ``None`` is the beginning.
    """

    def __init__(
        self, reader: TableReader, segment: Segment, after: dict[str, Any] | None = None
    ) -> None:
        self.segment = segment
        self._reader = reader
        self._after = after
        self._more = True

    def more(self) -> bool:
        return self._more

    def fetch(self) -> Page:
        page = self._reader.page(self.segment, self._after)
        self._after = page.last_key
        self._more = page.last_key is not None
        return page


C = TypeVar("C", bound=Cursor[Any])


class Rounds(Generic[C]):
    """Fetches from many cursors, some at once.

    Args:
        pool: at least as many threads as ``at_once``.
        halt: set when the rounds end early, so that no fetch goes on waiting.
        on_turn: called at least once a second.
    """

    def __init__(
        self,
        cursors: Iterator[C],
        pool: ThreadPoolExecutor,
        halt: Halt,
        on_turn: Callable[[], None],
        at_once: int = AT_ONCE,
    ) -> None:
        self._cursors = cursors
        self._pool = pool
        self._halt = halt
        self._on_turn = on_turn
        self._at_once = at_once
        self._running: dict[Future[Any], C] = {}

    def __iter__(self) -> Iterator[list[tuple[C, Any]]]:
        """Yield what has been fetched: in each round at most one page of a cursor."""
        try:
            while self._fill():
                done, _ = wait(self._running, _TURN, FIRST_COMPLETED)
                self._on_turn()
                fetched = [(self._running.pop(future), future.result()) for future in done]
                for cursor, _ in fetched:
                    if cursor.more():
                        self._start(cursor)
                if fetched:
                    yield fetched
        except BaseException:
            self._halt.set()
            raise
        finally:
            wait(self._running)

    def _fill(self) -> bool:
        for cursor in itertools.islice(self._cursors, self._at_once - len(self._running)):
            self._start(cursor)
        return bool(self._running)

    def _start(self, cursor: C) -> None:
        self._running[self._pool.submit(cursor.fetch)] = cursor
