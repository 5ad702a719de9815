"""The account of a copy: what its workers report, written down before they go on."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from kcl_processor.clock import Clock
from kcl_processor.errors import OperatorError
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.live_laying import LiveTally
from kcl_processor.table.table_copy import CopyReport

# Seconds over which the speed is measured.
_SPEED_WINDOW = 60.0


class CopyBook:
    """Keeps the progress of a copy up to date, over one run of it.

    Args:
        progress: where the run goes on from.
        store: makes the progress durable.
    """

    def __init__(
        self, progress: CopyProgress, store: Callable[[CopyProgress], None], clock: Clock
    ) -> None:
        self._progress = progress
        self._store = store
        self._clock = clock
        self._began = clock.elapsed()
        self._before = replace(progress)
        self._last: dict[int, CopyReport] = {}
        self._points = deque([(self._began, progress.items)])

    def hear(self, worker: int, report: CopyReport) -> None:
        """Enter what a worker has copied: both what was read and what was written of it."""
        progress = self._progress
        for page in report.pages:
            segment = progress.segments[page.segment]
            segment.after = page.after
            segment.done = page.after is None
            segment.items += page.items
            progress.items += page.items
        progress.bytes += report.bytes
        self._last[worker] = report
        self._sum_up()

    def save(self) -> None:
        """Make durable what was heard.

        Raises:
            OperatorError: it cannot be.
        """
        self._date()
        self._store(self._progress)

    def close(self) -> None:
        """Save that all of it is copied.

        Raises:
            OperatorError: fewer items were written than read; or it cannot be saved.
        """
        self._check_count()
        self._progress.finished_at = self._clock.now()
        self.save()

    def _sum_up(self) -> None:
        progress, before = self._progress, self._before
        reads = [report.reads for report in self._last.values()]
        writes = [report.writes for report in self._last.values()]
        laid = [report.laid for report in self._last.values()]
        progress.read_units = before.read_units + sum(tally.consumed for tally in reads)
        progress.write_units = before.write_units + sum(tally.consumed for tally in writes)
        progress.read_throttled = before.read_throttled + sum(tally.throttled for tally in reads)
        progress.write_throttled = before.write_throttled + sum(tally.throttled for tally in writes)
        progress.written = before.written + sum(tally.written for tally in writes)
        live = [tally for tally in writes if isinstance(tally, LiveTally)]
        progress.there = before.there + sum(tally.there for tally in live)
        progress.taken_away = before.taken_away + sum(tally.taken_away for tally in live)
        failed = sum(tally.failed for tally in laid)
        progress.refused = before.refused + failed + sum(tally.refused for tally in writes)
        progress.outside = before.outside + sum(tally.outside for tally in laid)
        progress.met = before.met + sum(tally.met for tally in laid)

    def _date(self) -> None:
        progress, now = self._progress, self._clock.elapsed()
        progress.seconds = self._before.seconds + now - self._began
        progress.updated_at = self._clock.now()
        progress.pid = os.getpid()
        progress.items_per_second = self._speed(now)

    def _speed(self, now: float) -> float:
        self._points.append((now, self._progress.items))
        while now - self._points[0][0] > _SPEED_WINDOW:
            self._points.popleft()
        then, items = self._points[0]
        return (self._progress.items - items) / (now - then) if now > then else 0.0

    def _check_count(self) -> None:
        progress = self._progress
        laid = progress.written + progress.refused + progress.met
        if progress.items != laid + progress.outside:
            raise OperatorError(
                f"{progress.items} items were read and {progress.written} written, "
                f"{progress.refused} set aside: the copy is not whole.",
                "please report this; copy --restart begins anew",
            )
