"""Time, passed in wherever it is needed so that tests turn it by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

# A suspended machine stops CLOCK_MONOTONIC, yet its leases run out meanwhile: the fence must see
# the time that really passed. Where the kernel lacks CLOCK_BOOTTIME, monotonic is the next best.
_CLOCK_ID = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def utc(moment: float, timespec: str = "seconds") -> str:
    """Seconds since the epoch as a moment of UTC, as logs and AWS write it.

    Args:
        timespec: the last unit that is told, as :meth:`datetime.isoformat` names it.

    Raises:
        ValueError, OverflowError: no calendar has such a moment.
    """
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec=timespec)
    return text.replace("+00:00", "Z")


class Clock(Protocol):
    """What the product asks of time; all durations are seconds."""

    def elapsed(self) -> float:
        """Seconds since some fixed moment; never goes back, and runs on during a suspend."""

    def awake(self) -> float:
        """As :meth:`elapsed`, but it stands still during a suspend."""

    def now(self) -> float:
        """Seconds since the epoch, as a wall clock shows it."""


class SystemClock:
    """The machine's own clocks."""

    def elapsed(self) -> float:
        return time.clock_gettime(_CLOCK_ID)

    def awake(self) -> float:
        return time.monotonic()

    def now(self) -> float:
        return time.time()


class Spaced:
    """Does something at its first call, and then no more often than every so many seconds.

    Safe to call from many threads: the others wait for the one that does it. What raises is done
    again at the next call.
    """

    def __init__(self, do: Callable[[], object], seconds: float, clock: Clock) -> None:
        self._do = do
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._done_at: float | None = None

    def __call__(self) -> None:
        """Raise as what is done does."""
        with self._lock:
            now = self._clock.elapsed()
            if self._done_at is None or now - self._done_at >= self._seconds:
                self._do()
                self._done_at = now
