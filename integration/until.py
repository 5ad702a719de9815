"""Waiting for something that comes true by itself.

A look that takes long waits longer for its turn: what it waits for wants the CPU, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# Of the time, looks take a fifth at most, as long as one comes in half a second.
_REST_PER_LOOK, _LONGEST_REST = 4.0, 0.5


def until(
    true: Callable[[], object], what: str, seconds: float = 60.0, *, every: float = 0.05
) -> float:
    """Poll until something is true; return the seconds that it took.

    Args:
        true: the condition.
        what: the condition in words.
        seconds: how long to wait for it.
        every: the seconds between two polls, more where a poll takes long.

    Raises:
        TimeoutError: it did not come true in time; the message names ``what``.
    """
    looked = began = time.monotonic()
    while not true():
        now = time.monotonic()
        if now - began > seconds:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(max(every, min(_LONGEST_REST, _REST_PER_LOOK * (now - looked))))
        looked = time.monotonic()
    return time.monotonic() - began
