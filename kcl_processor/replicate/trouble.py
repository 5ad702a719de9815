"""A destination in trouble, told in one line when it starts and one when it has passed."""

from __future__ import annotations

import logging

from kcl_processor.clock import Clock

_log = logging.getLogger(__name__)

# Seconds between reminders while one trouble lasts.
_REMINDER = 60.0
# Seconds without a failed attempt after which a trouble counts as passed: under partial throttling
# successes and failures alternate, and one line for each would bury the log.
_CALM = 5.0


class Trouble:
    """Turns a stream of failed attempts into a few lines of log.

    Args:
        table: the destination table that the lines name.
    """

    def __init__(self, table: str, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._began: float | None = None
        self._last_failure = 0.0
        self._error = ""
        self._told_at = 0.0
        self._attempts = 0

    def met(self, error: str, message: str) -> None:
        """One attempt failed and will be made again."""
        now = self._last_failure = self._clock.elapsed()
        self._attempts += 1
        if self._began is None:
            self._began = now
        if error != self._error or now - self._told_at >= _REMINDER:
            self._error, self._told_at = error, now
            _log.warning(
                "%s does not take every write: %s %s (%d attempts in %.0f s); retrying",
                self._table,
                error,
                message,
                self._attempts,
                now - self._began,
            )

    def passed(self) -> None:
        """One attempt succeeded."""
        if self._began is None or self._clock.elapsed() - self._last_failure < _CALM:
            return
        _log.warning(
            "%s takes writes again; the trouble lasted %.1f s and cost %d attempts",
            self._table,
            self._last_failure - self._began,
            self._attempts,
        )
        self._began, self._error, self._attempts = None, "", 0
