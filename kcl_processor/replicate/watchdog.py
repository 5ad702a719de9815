"""Ends a process that makes no progress, and leaves its stacks in the log."""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from kcl_processor.clock import Clock
from kcl_processor.log import speak_for, spoken_for

_log = logging.getLogger(__name__)

# Seconds between the name of a shard that hangs and the end, in which it reaches the log.
_LAST_WORD = 1.0


class Watchdog:
    """Watches the actions of one process, one a thread. A hang of one of them is the name of its
    shard, a stack trace of every thread, and exit 1.

    ``faulthandler`` waits in a thread of its own that needs no interpreter lock, so it works even
    when every Python thread is stuck. It knows one moment, which is that of the action that has
    been without progress for the longest time; its stacks are of threads, and name no shard. A
    suspend of the host is no hang: its clock, and so ours, stands still meanwhile.

    Args:
        patience: seconds of an action without progress after which it hangs.
    """

    def __init__(self, patience: float, clock: Clock) -> None:
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._moved_at: dict[int, float] = {}
        self._shards: dict[int, str] = {}
        self._armed_for: float | None = None

    def begin(self) -> None:
        """This process is the one that will work: a hang is named from now on, in a thread."""
        threading.Thread(target=self._name_hangs, name="watchdog", daemon=True).start()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Watch while this thread's action runs; between actions it may wait for ever."""
        self._shards[threading.get_ident()] = spoken_for()
        self._note(self._clock.awake())
        try:
            yield
        finally:
            self._note(None)

    def progress(self) -> None:
        """Something that this thread waited for has ended; one that waits once more has not moved.

        Arming costs a thread, so progress counts once a second at most.
        """
        now = self._clock.awake()
        moved_at = self._moved_at.get(threading.get_ident())
        if moved_at is not None and now - moved_at >= 1.0:
            self._note(now)

    def _note(self, moved_at: float | None) -> None:
        now = self._clock.awake() if moved_at is None else moved_at
        with self._lock:
            if moved_at is None:
                del self._moved_at[threading.get_ident()], self._shards[threading.get_ident()]
            else:
                self._moved_at[threading.get_ident()] = moved_at
            self._arm(min(self._moved_at.values(), default=None), now)

    def _arm(self, longest: float | None, now: float) -> None:
        if longest is None:
            faulthandler.cancel_dump_traceback_later()
        elif longest != self._armed_for:
            left = max(0.001, self._patience + _LAST_WORD - (now - longest))
            try:
                faulthandler.dump_traceback_later(left, exit=True, file=sys.stderr)
            except RuntimeError as error:
                # The host has no thread left; the next turn tries again.
                _log.warning("nothing watches for a hang now: %s", error)
                longest = None
        self._armed_for = longest

    def _name_hangs(self) -> None:
        left = self._patience
        while True:
            threading.Event().wait(left)
            waiting = self._without_progress()
            longest = max((seconds for seconds, _ in waiting), default=0.0)
            # Once named, the process ends before the next look.
            left = self._patience - (longest if longest < self._patience else 0.0)
            for seconds, shard in waiting:
                if seconds >= self._patience:
                    speak_for(shard)
                    _log.error(
                        "no progress for %.0f s: its process ends, and leaves its stacks. "
                        "Try: a supervisor's start, or kcl-processor run",
                        seconds,
                    )

    def _without_progress(self) -> list[tuple[float, str]]:
        """For how many seconds each action has been so, and for which shard."""
        with self._lock:
            now = self._clock.awake()
            moved_at = self._moved_at.items()
            return [(now - moved, self._shards[thread]) for thread, moved in moved_at]
