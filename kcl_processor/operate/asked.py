"""What services are asked beside whoever wants to know: once a minute, and never while he waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError

T = TypeVar("T")

# Seconds between two looks.
INTERVAL = 60.0
_log = logging.getLogger(__name__)


class Asked(Generic[T]):
    """What there is of some tasks, as it was found last.

    Args:
        pool: asks for it, beside whoever wants to know.
        read: asks for one task's; ``None`` where it has none.
    """

    def __init__(
        self, tasks: Iterable[Task], clock: Clock, pool: Executor, read: Callable[[Task], T | None]
    ) -> None:
        self._tasks = list(tasks)
        self._clock = clock
        self._pool = pool
        self._read = read
        self._asked: Future[dict[str, T]] | None = None
        self._asked_at = 0.0
        self._last: dict[str, T] = {}

    def last(self) -> dict[str, T]:
        """What was found, by task; asks again, if it is time."""
        if self._asked and not self._asked.done():
            return self._last
        if self._asked:
            self._last = self._asked.result()
        if not self._asked or self._clock.elapsed() - self._asked_at >= INTERVAL:
            self._asked, self._asked_at = self._pool.submit(self._look), self._clock.elapsed()
        return self._last

    def _look(self) -> dict[str, T]:
        found: dict[str, T] = {}
        for task in self._tasks:
            # One that cannot be asked for is not there; the page says of which, and why.
            try:
                if (read := self._read(task)) is not None:
                    found[task.name] = read
            except OperatorError:
                continue
            except Exception:
                # For a row of one, that no version of ours wrote, all would have nothing any more.
                _log.exception("what there is of task %s cannot be told", task.name)
        return found
