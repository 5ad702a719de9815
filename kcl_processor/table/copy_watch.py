"""What watches a copy while it runs: the time it may take, the daemon, and whoever looks on."""

from __future__ import annotations

from collections.abc import Callable

from kcl_processor.clock import Clock
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.stream import HOUR, RETENTION
from kcl_processor.launch.copy_mark import BEAT
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.estimate import WARN_HOURS
from kcl_processor.table.pace import Halt

# Seconds between warnings that time runs out.
_WARNING_INTERVAL = HOUR


class CopyListener:
    """Told of a copy as it goes; the command line draws it."""

    def progress(self, progress: CopyProgress) -> None:
        """Called about once a second."""

    def tell(self, text: str) -> None:
        """Called with what goes on while nothing is copied."""

    def warn(self, text: str) -> None:
        """Called with what an operator should know at once."""


class CopyWatch:
    """Ends a copy that must not go on, and tells how it goes.

    Args:
        look: raises when something has come beside the copy, or it is too late for it.
        halt: set before anything is raised.
    """

    def __init__(
        self,
        progress: CopyProgress,
        look: Callable[[], None],
        listener: CopyListener,
        halt: Halt,
        clock: Clock,
    ) -> None:
        self._progress = progress
        self._look = look
        self._listener = listener
        self._halt = halt
        self._clock = clock
        self._told_at = self._looked_at = clock.elapsed()
        self._warned_at: float | None = None

    def __call__(self) -> None:
        """Look, if a second has passed.

        Raises:
            Halted: the copy was told to stop.
            OperatorError: whatever ``look`` raises.
        """
        self._halt.wait(0)
        now = self._clock.elapsed()
        if now - self._told_at < 1.0:
            return
        self._told_at = now
        self._listener.progress(self._progress)
        try:
            self._check(now)
        except OperatorError:
            self._halt.set()
            raise

    def _check(self, now: float) -> None:
        # Whoever comes alive takes longer to write.
        if now - self._looked_at >= BEAT:
            self._looked_at = now
            self._look()
        if not self._progress.forced:
            self._warn(now)

    def _warn(self, now: float) -> None:
        left = self._progress.seconds_left() or 0.0
        hours = (self._clock.now() - self._progress.started_at + left) / HOUR
        told = self._warned_at is not None and now - self._warned_at < _WARNING_INTERVAL
        if hours >= WARN_HOURS and not told:
            self._warned_at = now
            self._listener.warn(
                f"This copy takes {hours:.1f} h in all at this speed, and the stream keeps "
                f"{RETENTION / HOUR:.0f} h. Raise what limits it: --max-rcu, --max-wcu, capacity."
            )
