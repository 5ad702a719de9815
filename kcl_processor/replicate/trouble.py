"""A destination in trouble: told when it begins, seldom while it lasts, and when it passed."""

from __future__ import annotations

import logging
from collections import Counter
from math import inf

from kcl_processor.clock import Clock

_log = logging.getLogger(__name__)

# Seconds from the beginning to the first reminder, which doubles up to the second.
_FIRST_REMINDER = 10.0
_LONGEST_REMINDER = 300.0
# A trouble counts as passed after half a reminder without a failed attempt: under partial
# throttling successes and failures alternate, and one line for each would bury the log. One that
# comes back within the longest reminder goes on with the reminders where the last one was, or it
# would be told twice every few seconds, as an end and as a beginning.


class Trouble:
    """Turns a stream of failed attempts, of one kind or of many, into a few lines of log.

    Args:
        table: the destination table that the lines name.
    """

    def __init__(self, table: str, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._began: float | None = None
        self._last_failure = -inf
        self._reminder = _FIRST_REMINDER
        self._told_at = 0.0
        self._kinds: Counter[str] = Counter()

    def met(self, error: str, message: str) -> None:
        """One attempt failed and will be made again."""
        now, before = self._clock.elapsed(), self._last_failure
        self._last_failure = now
        self._kinds[error] += 1
        last = f"{error} {message}".rstrip()
        if self._began is None:
            self._began = self._told_at = now
            again = now - before < _LONGEST_REMINDER
            self._reminder = self._longer() if again else _FIRST_REMINDER
            _log.warning("%s does not take every write: %s", self._table, last)
        elif now - self._told_at >= self._reminder:
            self._told_at = now
            self._reminder = self._longer()
            _log.warning(
                "%s still does not take every write, for %.0f s: %s; the last one: %s",
                self._table,
                now - self._began,
                self._counted(),
                last,
            )

    def passed(self) -> None:
        """Nothing waits for another attempt; asked again and again, by idle shards, too."""
        if self._began is None:
            return
        if self._clock.elapsed() - self._last_failure < self._reminder / 2:
            return
        _log.warning(
            "%s takes writes again; the trouble lasted %.1f s: %s",
            self._table,
            self._last_failure - self._began,
            self._counted(),
        )
        self._began = None
        self._kinds.clear()

    def _longer(self) -> float:
        return min(_LONGEST_REMINDER, self._reminder * 2)

    def _counted(self) -> str:
        return ", ".join(f"{count} {kind}" for kind, count in self._kinds.most_common())
