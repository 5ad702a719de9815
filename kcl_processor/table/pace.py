"""How fast threads and forks may consume a table's capacity: by a rate, and by throttling."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from typing import Self

from kcl_processor.clock import Clock
from kcl_processor.replicate.backoff import Window


class Halted(Exception):
    """Another thread has ended the work that this one is part of."""


class Halt:
    """Ends the waiting of many threads at once."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Let every :meth:`wait` raise from now on."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Wait.

        Raises:
            Halted: the work has ended.
        """
        if self._event.wait(seconds):
            raise Halted


class Pace:
    """Keeps the capacity that many threads and forks consume at or under a rate.

    What a call costs is known only after it. So a caller takes what it expects, waits until that
    is paid for, and settles the difference afterwards; the next caller pays for it. A process that
    is forked keeps to the rate together with the one that forked it.

    Args:
        rate: capacity units a second; ``None`` for no limit.
        wait: waits for some seconds.
    """

    def __init__(self, rate: float | None, clock: Clock, wait: Callable[[float], None]) -> None:
        self._rate = rate
        self._clock = clock
        self._wait = wait
        # Memory that forks share, with its lock: all of them pay into one account.
        self._paid_until = multiprocessing.get_context("fork").Value("d", clock.elapsed())

    def take(self, units: float) -> None:
        """Wait until ``units`` may be consumed."""
        if self._rate is None:
            return
        with self._paid_until:
            now = self._clock.elapsed()
            start = max(now, self._paid_until.value)
            self._paid_until.value = start + units / self._rate
        if start > now:
            self._wait(start - now)

    def settle(self, taken: float, consumed: float) -> None:
        """Correct what was taken by what a call did consume."""
        if self._rate is not None:
            with self._paid_until:
                self._paid_until.value += (consumed - taken) / self._rate


class Gate:
    """Lets as many threads through as a window says."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._inside = 0
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        with self._changed:
            self._changed.wait_for(lambda: self._inside < self._window.size)
            self._inside += 1
        return self

    def __exit__(self, *exception: object) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def succeeded(self) -> None:
        """One call was answered."""
        with self._changed:
            self._window.succeeded()

    def throttled(self) -> None:
        """One call was throttled."""
        with self._changed:
            self._window.throttled()
