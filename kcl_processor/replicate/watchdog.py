"""Ends a process that makes no progress, and leaves its stacks in the log."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kcl_processor.clock import Clock


class Watchdog:
    """Watches the actions of one process. A hang is a stack trace of every thread, and exit 1.

    ``faulthandler`` waits in a thread of its own that needs no interpreter lock, so it works even
    when every Python thread is stuck.

    Args:
        patience: seconds of an action without progress after which the process ends.
    """

    def __init__(self, patience: float, clock: Clock) -> None:
        self._patience = patience
        self._clock = clock
        self._armed_at = 0.0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Watch while an action runs; between actions the process may wait for ever."""
        self._arm()
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()

    def progress(self) -> None:
        """Something that was waited for has ended; a loop that waits once more has not moved.

        Arming costs a thread, so progress re-arms once a second at most.
        """
        if self._clock.elapsed() - self._armed_at >= 1.0:
            self._arm()

    def _arm(self) -> None:
        self._armed_at = self._clock.elapsed()
        faulthandler.dump_traceback_later(self._patience, exit=True, file=sys.stderr)
