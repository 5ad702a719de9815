"""A copy's progress in a line."""

from __future__ import annotations

from kcl_processor.cli.progress import LineRate, size, whole_duration, words
from kcl_processor.table.copy_progress import CopyProgress
from tests.fakes import HandClock


def test_a_line_says_how_far_how_fast_and_how_long() -> None:
    """The table's own count is hours old, and marked so."""
    progress = CopyProgress("s", "d", "stream", 1_000_000, 1 << 30, 0.0, [])
    progress.items, progress.bytes, progress.items_per_second = 610_000, 640 << 20, 4210.0
    progress.read_units, progress.write_units, progress.write_throttled = 80_000, 700_000, 3
    assert words(progress) == (
        "61%  left 1m33s  610,000 of ~1,000,000 items  4,210 items/s  640.0 MB  80,000 RCU  "
        "700,000 WCU  throttled 3 times"
    )


def test_more_items_than_the_table_counts_make_no_forecast() -> None:
    """A table that was filled just now counts as empty."""
    progress = CopyProgress("s", "d", "stream", 1_000_000, 1 << 30, 0.0, [])
    progress.expected_items, progress.items, progress.items_per_second = 0, 5_000, 1000.0
    assert progress.seconds_left() is None
    assert words(progress).startswith("left -  5,000 items  ")


def test_lines_keep_their_distance() -> None:
    """None at the start, and then one an interval, however often it is asked."""
    clock = HandClock()
    rate = LineRate(clock, 10.0)
    due = []
    for _ in range(25):
        clock.turn(1.0)
        due.append(rate.is_due())
    assert [at + 1 for at, is_due in enumerate(due) if is_due] == [10, 20]


def test_sizes_and_durations_for_people() -> None:
    """Two units, no more."""
    assert [size(n) for n in (0, 1023, 1024, 3 << 30, 5 << 40)] == [
        *("0 B", "1023 B", "1.0 KB", "3.0 GB", "5.0 TB")
    ]
    assert [whole_duration(s) for s in (0, 59.4, 61, 3600, 90_000)] == [
        *("0s", "59s", "1m01s", "1h00m", "25h00m")
    ]
