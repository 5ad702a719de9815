"""How long to wait before the next attempt, and how many attempts may be under way."""

from __future__ import annotations

import random
from collections.abc import Callable

# Seconds. The cap is short enough to be at full speed within ten seconds of an outage's end.
FIRST_DELAY = 0.05
LONGEST_DELAY = 4.0


def delay(attempts: int, uniform: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds to wait after ``attempts`` failed attempts: capped, exponential, full jitter."""
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempts - 1, 16))
    return uniform(0, ceiling)


class Window:
    """How many requests may be under way: grows while they succeed, halves on throttling.

    Args:
        smallest, largest: the bounds; the largest also bounds memory and connections.
        size: where to start.
    """

    def __init__(self, smallest: int = 1, largest: int = 64, size: int = 32) -> None:
        self._smallest = smallest
        self._largest = largest
        self._size = float(size)
        self._since_cut = 0

    @property
    def size(self) -> int:
        """Requests that may be under way now."""
        return int(self._size)

    def succeeded(self) -> None:
        """One request was applied in full."""
        self._since_cut += 1
        self._size = min(self._largest, self._size + 1 / self._size * 4)

    def throttled(self) -> None:
        """One request was throttled. Those sent before tell the same news: one cut for all."""
        if self._since_cut >= 0:
            self._size = max(self._smallest, self._size / 2)
            self._since_cut = -self.size
        else:
            self._since_cut += 1
