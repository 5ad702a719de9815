"""A copy's progress on stderr: a bar on a terminal, elsewhere a line every ten seconds."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from kcl_processor.clock import Clock
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.copy_watch import CopyListener

_LINE_INTERVAL = 10.0


class LineRate:
    """Says when a line is due: none at the start, then one every so many seconds."""

    def __init__(self, clock: Clock, interval: float) -> None:
        self._clock = clock
        self._interval = interval
        self._told_at = clock.elapsed()

    def is_due(self) -> bool:
        """Whether to print one now; the next is due an interval later."""
        now = self._clock.elapsed()
        if now - self._told_at < self._interval:
            return False
        self._told_at = now
        return True


class ProgressLines(CopyListener):
    """Shows one copy.

    Args:
        name: the task's.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._rate = LineRate(clock, _LINE_INTERVAL)
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(16),
                # What has no room is cut, and the name and the bar are not.
                TextColumn("{task.fields[words]}", table_column=Column(no_wrap=True, ratio=1)),
            )
            # Without a thread that draws it: the copy's processes are forked beside it.
            self._bar = Progress(
                *columns, console=Console(stderr=True), auto_refresh=False, expand=True
            )
            self._row = self._bar.add_task(name, total=None, words="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar.stop()

    def progress(self, progress: CopyProgress) -> None:
        if self._bar:
            total = max(progress.expected_items, progress.items) or None
            self._bar.update(
                self._row,
                completed=progress.items,
                total=total,
                words=words(progress),
                refresh=True,
            )
        elif self._rate.is_due():
            print(f"{self._name}  {words(progress)}", file=sys.stderr, flush=True)

    def tell(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        print(f"Warning: {text}", file=sys.stderr, flush=True)


def words(progress: CopyProgress) -> str:
    """A copy's figures in one line, the first of which a narrow terminal shows. The table's item
    count is DynamoDB's, hours old: hence ~."""
    expected = progress.expected_items
    known = expected > progress.items or progress.finished_at is not None
    share = f"{min(100, 100 * progress.items // expected)}%  " if known and expected else ""
    total = f" of ~{expected:,}" if known else ""
    left = progress.seconds_left()
    return (
        f"{share}left {'-' if left is None else whole_duration(left)}  "
        f"{progress.items:,}{total} items  {progress.items_per_second:,.0f} items/s  "
        f"{f'{progress.written:,} written  ' if progress.rules else ''}"
        f"{size(progress.bytes)}  {progress.read_units:,.0f} RCU  "
        f"{progress.write_units:,.0f} WCU  "
        f"throttled {progress.read_throttled + progress.write_throttled} times"
    )


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"


def whole_duration(seconds: float) -> str:
    """Seconds for people, in the two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
