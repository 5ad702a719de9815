"""Waiting for something that comes true by itself."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(
    true: Callable[[], object], what: str, seconds: float = 60.0, *, every: float = 0.05
) -> float:
    """Poll until something is true; return the seconds that it took.

    Args:
        true: the condition.
        what: the condition in words.
        seconds: how long to wait for it.
        every: the seconds between two polls, more where a poll is dear.

    Raises:
        TimeoutError: it did not come true in time; the message names ``what``.
    """
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(every)
    return time.monotonic() - began
