"""Ends a process that makes no progress, and leaves its stacks in the log."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kcl_processor.clock import Clock

_log = logging.getLogger(__name__)


class Watchdog:
    """Watches the actions of one process, one a thread. A hang of one of them is a stack trace of
    every thread, and exit 1.

    ``faulthandler`` waits in a thread of its own that needs no interpreter lock, so it works even
    when every Python thread is stuck. It knows one moment, which is that of the action that has
    been without progress for the longest time. A suspend of the host is no hang: its clock, and
    so ours, stands still meanwhile.

    Args:
        patience: seconds of an action without progress after which the process ends.
    """

    def __init__(self, patience: float, clock: Clock) -> None:
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._moved_at: dict[int, float] = {}
        self._armed_for: float | None = None

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Watch while this thread's action runs; between actions it may wait for ever."""
        self._note(self._clock.awake())
        try:
            yield
        finally:
            self._note(None)

    def progress(self) -> None:
        """Something that this thread waited for has ended; one that waits once more has not moved.

        Arming costs a thread, so progress counts once a second at most.
        """
        now = self._clock.awake()
        moved_at = self._moved_at.get(threading.get_ident())
        if moved_at is not None and now - moved_at >= 1.0:
            self._note(now)

    def _note(self, moved_at: float | None) -> None:
        now = self._clock.awake() if moved_at is None else moved_at
        with self._lock:
            if moved_at is None:
                del self._moved_at[threading.get_ident()]
            else:
                self._moved_at[threading.get_ident()] = moved_at
            self._arm(min(self._moved_at.values(), default=None), now)

    def _arm(self, longest: float | None, now: float) -> None:
        if longest is None:
            faulthandler.cancel_dump_traceback_later()
        elif longest != self._armed_for:
            left = max(0.001, self._patience - (now - longest))
            try:
                faulthandler.dump_traceback_later(left, exit=True, file=sys.stderr)
            except RuntimeError as error:
                # The host has no thread left; the next turn tries again.
                _log.warning("nothing watches for a hang now: %s", error)
                longest = None
        self._armed_for = longest
