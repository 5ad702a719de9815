"""Parallel scans: each segment's pages in order, several segments at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.table.pace import Halt, Halted
from kcl_processor.table.scan import Rounds, SegmentCursor, segments_for
from kcl_processor.table.table_reader import Segment
from tests.table.memory import Table, image, key

MB = 1 << 20


@pytest.mark.parametrize(
    ("table_bytes", "segments"),
    [(0, 32), (32 * 256 * MB, 32), (32 * 256 * MB + 1, 33), (1 << 50, 1024)],
)
def test_a_segment_is_256_mb(table_bytes: int, segments: int) -> None:
    """Within bounds: enough to keep the threads busy, and no more than are of use."""
    assert segments_for(table_bytes) == segments


class Pages:
    """A cursor over numbered pages, which notes how far it is ahead of what was handled."""

    def __init__(self, name: int, pages: int) -> None:
        self.name = name
        self.handled = 0
        self.ahead = 0
        self._pages = pages
        self._fetched = 0

    def more(self) -> bool:
        return self._fetched < self._pages

    def fetch(self) -> int:
        self._fetched += 1
        self.ahead = max(self.ahead, self._fetched - self.handled)
        return self._fetched


@given(st.lists(st.integers(1, 5), max_size=8), st.integers(1, 4))
def test_every_page_comes_once_and_in_its_segments_order(pages: list[int], at_once: int) -> None:
    """However many segments, pages and threads; no segment is more than a page ahead."""
    cursors = [Pages(name, count) for name, count in enumerate(pages)]
    seen: dict[int, list[int]] = {cursor.name: [] for cursor in cursors}
    with ThreadPoolExecutor(at_once) as pool:
        for fetched in Rounds(iter(cursors), pool, Halt(), lambda: None, at_once):
            assert len({cursor.name for cursor, _ in fetched}) == len(fetched) <= at_once
            for cursor, page in fetched:
                cursor.handled += 1
                seen[cursor.name].append(page)
    assert seen == {name: [*range(1, count + 1)] for name, count in enumerate(pages)}
    assert all(cursor.ahead <= 2 for cursor in cursors)


def test_a_page_that_cannot_be_read_ends_all_and_waits_for_the_others() -> None:
    """The halt is set, so that nobody waits on; nothing is under way when the error is raised."""
    halt, ended = Halt(), threading.Event()

    class Broken(Pages):
        def fetch(self) -> int:
            raise OSError("no route")

    class Waiting(Pages):
        def fetch(self) -> int:
            try:
                halt.wait(30)
            finally:
                ended.set()
            return 1

    cursors: list[Pages] = [Waiting(0, 1), Broken(1, 1)]
    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(OSError, match="no route"):
            list(Rounds(iter(cursors), pool, halt, lambda: None, 2))
        assert ended.is_set()
    with pytest.raises(Halted):
        halt.wait(0)


def test_a_segment_is_read_from_where_an_earlier_run_stopped() -> None:
    """The key is handed over, and the last page ends the segment."""
    table = Table({key(name): image(name) for name in "abcdefg"}, page=3)
    cursor = SegmentCursor(table, Segment(0, 1), after={"at": 3})
    items = []
    while cursor.more():
        items += cursor.fetch().items
    assert len(items) == 4
