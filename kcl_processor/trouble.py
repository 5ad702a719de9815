"""A destination in trouble, told in one line when it starts and one when it has passed."""

from __future__ import annotations

import logging

from kcl_processor.clock import Clock

_log = logging.getLogger(__name__)

# Seconds between reminders while one trouble lasts.
_REMINDER = 60.0


class Trouble:
    """Turns a stream of failed attempts into a few lines of log.

    Args:
        table: the destination table that the lines name.
    """

    def __init__(self, table: str, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._since: float | None = None
        self._told: tuple[str, float] = ("", 0.0)
        self._attempts = 0

    def met(self, error: str, message: str) -> None:
        """One attempt failed and will be made again."""
        now = self._clock.elapsed()
        self._attempts += 1
        if self._since is None:
            self._since = now
        if error != self._told[0] or now - self._told[1] >= _REMINDER:
            self._told = (error, now)
            _log.warning(
                "%s does not take writes: %s %s (%d attempts in %.0f s); retrying until it does",
                self._table,
                error,
                message,
                self._attempts,
                now - self._since,
            )

    def passed(self) -> None:
        """One attempt succeeded."""
        if self._since is None:
            return
        if self._clock.elapsed() - self._since >= 1.0:
            _log.warning(
                "%s takes writes again after %.1f s and %d attempts",
                self._table,
                self.seconds(),
                self._attempts,
            )
        self._since, self._told, self._attempts = None, ("", 0.0), 0

    def seconds(self) -> float:
        """How long the trouble has lasted; 0 when there is none."""
        return 0.0 if self._since is None else self._clock.elapsed() - self._since
