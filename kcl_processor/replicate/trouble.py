"""A destination in trouble: told when it begins, seldom while it lasts, and when it passed."""

from __future__ import annotations

import logging
from collections import Counter

from kcl_processor.clock import Clock

_log = logging.getLogger(__name__)

# Seconds from the beginning to the first reminder, which doubles up to the second.
_FIRST_REMINDER = 10.0
_LONGEST_REMINDER = 300.0
# Seconds without a failed attempt after which a trouble counts as passed: under partial throttling
# successes and failures alternate, and one line for each would bury the log.
_CALM = 5.0


class Trouble:
    """Turns a stream of failed attempts, of one kind or of many, into a few lines of log.

    Args:
        table: the destination table that the lines name.
    """

    def __init__(self, table: str, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._began: float | None = None
        self._last_failure = 0.0
        self._reminder = _FIRST_REMINDER
        self._told_at = 0.0
        self._kinds: Counter[str] = Counter()

    def met(self, error: str, message: str) -> None:
        """One attempt failed and will be made again."""
        now = self._last_failure = self._clock.elapsed()
        self._kinds[error] += 1
        if self._began is None:
            self._began = self._told_at = now
            self._reminder = _FIRST_REMINDER
            _log.warning("%s does not take every write: %s %s", self._table, error, message)
        elif now - self._told_at >= self._reminder:
            self._told_at = now
            self._reminder = min(_LONGEST_REMINDER, self._reminder * 2)
            _log.warning(
                "%s still does not take every write, for %.0f s: %s; the last one: %s",
                self._table,
                now - self._began,
                self._counted(),
                message,
            )

    def passed(self) -> None:
        """One attempt succeeded."""
        if self._began is None or self._clock.elapsed() - self._last_failure < _CALM:
            return
        _log.warning(
            "%s takes writes again; the trouble lasted %.1f s: %s",
            self._table,
            self._last_failure - self._began,
            self._counted(),
        )
        self._began = None
        self._kinds.clear()

    def _counted(self) -> str:
        return ", ".join(f"{count} {kind}" for kind, count in self._kinds.most_common())
