"""A task as the exporter's page shows it: looked at once a minute, beside whoever reads it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.events import Event
from kcl_processor.operate.asked import INTERVAL, Asked
from kcl_processor.operate.history import history, with_ends
from kcl_processor.operate.lag_history import LagHistory, Reading
from kcl_processor.operate.observe import Observer, Sight
from kcl_processor.operate.status import UNKNOWN, WARN, Status, summarise
from kcl_processor.state.gaps import Gap, open_gaps

# What is older says nothing of the present: two looks in a row have not come to their end.
LATE = 3 * INTERVAL

T = TypeVar("T")
# What else is to be known of a task at a moment: a record, or nothing.
Ask = Callable[[TaskFiles, float], object | None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """What a look found.

    Attributes:
        at: when it ended, seconds since the epoch.
        sight: ``None`` if the task could not be looked at.
        events: those that are kept; ``None`` if they could not be read.
        gaps: the open ones that this host noted; ``None`` if they could not be read.
        work: what is being done to whole tables, by name; without what could not be asked.
        unknown: what could not be had, by name, and why.
    """

    at: float
    status: Status
    sight: Sight | None
    events: list[Event] | None
    gaps: list[Gap] | None
    work: Mapping[str, object | None]
    unknown: Mapping[str, str]


class Watch:
    """Watches one task.

    Args:
        pool: looks, beside whoever wants to know.
        wait: waits for some seconds.
        work: asks what is being done to whole tables, by name.
        tell: takes one line, if readings cannot be kept.
    """

    def __init__(
        self,
        files: TaskFiles,
        clock: Clock,
        pool: Executor,
        wait: Callable[[float], None],
        work: Mapping[str, Ask],
        tell: Callable[[str], None],
    ) -> None:
        self.name = files.task.name
        self.lags = LagHistory(files.lag_history)
        self._files = files
        self._clock = clock
        self._wait = wait
        self._work = work
        self._tell = tell
        self._is_told = False
        self._observer: Observer | None = None
        self._asked = Asked([files.task], clock, pool, lambda _: self.look())
        self._seen: Seen | None = None

    def tick(self) -> None:
        """Have the task looked at if it is time. One thread calls this, every second or so."""
        self._seen = self._asked.last().get(self.name)

    def seen(self) -> Seen | None:
        """What the last look found; ``None`` before the first, and of one that is too old."""
        seen = self._seen
        return seen if seen and self._clock.now() - seen.at <= LATE else None

    def status(self) -> Status:
        """How the task is; unknown, with the reason, if it was not looked at of late."""
        if seen := self.seen():
            return seen.status
        if self._seen is None:
            return _unknown(self.name, "it was not looked at yet")
        late = self._clock.now() - self._seen.at
        return _unknown(self.name, f"the last look at it ended {late:.0f} s ago")

    def look(self) -> Seen:
        """Look once. What cannot be had is unknown, and keeps nothing else from being told."""
        unknown: dict[str, str] = {}
        sight, events, work = None, None, dict[str, object | None]()
        now = self._clock.now()
        # What lies in another replica's tables is none of this task's.
        if observer := self._had("status", self._own, unknown):
            # Counters have had a minute to move since the last look, so this one waits for none.
            sight = self._had("status", lambda: observer.look(patient=False), unknown)
            now = self._clock.now()
            events = self._had("events", lambda: self._events(sight), unknown)
            asked = {name: self._ask(name, ask, now, unknown) for name, ask in self._work.items()}
            work = {name: found for name, found in asked.items() if name not in unknown}
        gaps = self._had("gaps", lambda: open_gaps(self._files.gaps), unknown)
        status = self._summarised(sight, unknown)
        self._keep(Reading(now, status.lag, status.trims_in))
        return Seen(now, status, sight, events, gaps, work, unknown)

    def _summarised(self, sight: Sight | None, unknown: dict[str, str]) -> Status:
        status = self._had("status", lambda: summarise(sight), unknown) if sight else None
        return status or _unknown(self.name, unknown["status"])

    def _own(self) -> Observer:
        """Whoever looks at the task, once its tables are known to be its own."""
        if self._observer is None:
            self._observer = Observer(self._files, self._clock, self._wait)
        self._observer.refuse_foreign()
        return self._observer

    def _events(self, sight: Sight | None) -> list[Event]:
        """Of one that could not be looked at they are read alone."""
        return with_ends(self._files, sight.events) if sight else history(self._files)

    def _ask(self, name: str, ask: Ask, now: float, unknown: dict[str, str]) -> object | None:
        return self._had(name, lambda: ask(self._files, now), unknown)

    def _had(self, name: str, read: Callable[[], T], unknown: dict[str, str]) -> T | None:
        try:
            return read()
        except OperatorError as error:
            unknown[name] = f"{error.message} Try: {error.hint}"
        except Exception as error:
            # A page that ends with an error of ours would tell nothing of all else any more.
            _log.exception("the %s of task %s cannot be told", name, self.name)
            unknown[name] = (
                f"an error of ours, {type(error).__name__}: please report what stderr has"
            )
        return None

    def _keep(self, reading: Reading) -> None:
        try:
            self.lags.add(reading)
        except OSError as error:
            if not self._is_told:
                self._tell(
                    f"The page of task {self.name} forgets its lag at the exporter's end: "
                    f"{self._files.lag_history} cannot be written: {error.strerror}."
                )
            self._is_told = True


def in_sight(
    watches: Iterable[Watch], saw: Callable[[Sight], T | None], read: Callable[[Task], T | None]
) -> Callable[[Task], T | None]:
    """What a task's last look saw besides; of one that could not be looked at it is read alone.

    Who may not read the stream has no look, and may read this.

    Args:
        saw: picks it out of what was seen.
        read: asks for it.
    """
    by_task = {watch.name: watch for watch in watches}

    def found(task: Task) -> T | None:
        seen = by_task[task.name].seen()
        return saw(seen.sight) if seen and seen.sight else read(task)

    return found


def _unknown(name: str, reason: str) -> Status:
    return Status(name, UNKNOWN, WARN, reasons=(reason,))
