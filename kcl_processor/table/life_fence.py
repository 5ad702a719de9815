"""What a copy may write by: that it has shown of late that it lives.

Whoever does not see it live takes its place: another host goes on with its part or begins the copy
anew, and a daemon follows. It may only have been paused, and would then lay the items that it had
read over newer ones, which nobody writes again.
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context

from kcl_processor.clock import Clock

# Seconds for which what is sent is bounded by a sign of life: after some more, nothing of a copy
# that gave none is on its way.
_HOLDS = 20.0


class LifeFence:
    """A fence for the processes that are forked to copy; the one that forked them shows the signs.

    Args:
        wait: waits for some seconds.
    """

    def __init__(self, clock: Clock, wait: Callable[[float], None]) -> None:
        self._clock = clock
        self._wait = wait
        # Shared memory that only one process writes, and eight aligned bytes are written at once: a
        # lock would stay held by one that is killed.
        self._holds_until = get_context("fork").RawValue("d", 0.0)

    def shown(self, at: float) -> None:
        """A sign of life was seen by all, that was begun to be given at ``at``."""
        self._holds_until.value = at + _HOLDS

    def hold(self) -> None:
        """Wait until the last sign of life is young enough for whoever wants to write an item."""
        while self.remaining() <= 0:
            self._wait(0.1)

    def remaining(self) -> float:
        """Seconds for which nobody else has this one's place, for sure."""
        return float(self._holds_until.value) - self._clock.elapsed()
