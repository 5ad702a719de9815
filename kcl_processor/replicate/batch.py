"""One batch on its way: requests that are ready, wait for their time, or are in flight."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any

import orjson

from kcl_processor.aws.wire import Answer
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.destination import (
    MAX_BYTES_PER_REQUEST,
    MAX_CHANGES_PER_REQUEST,
    unprocessed,
)

# Seconds to wait at most for an outcome, so that the proof of what is under way can be renewed: it
# is asked for when a sixth of its lifetime is left, which with the shortest failover time is 0.3 s.
LONGEST_WAIT = 0.2


@dataclass(slots=True)
class Request:
    """Some changes.

    Attributes:
        attempts: that failed.
        is_again: they were applied before, and are written once more to end a doubt.
        asked_at: when the last attempt was made.
    """

    changes: Sequence[Change]
    attempts: int = 0
    is_again: bool = False
    asked_at: float = 0.0


Outcome = tuple[Request, "Answer | BaseException"]


class Batch:
    """The requests of one batch: ready, waiting for their time, or in flight.

    Args:
        changes: of distinct keys.
        again: what was applied before, and is written once more; of other keys.
    """

    def __init__(self, changes: Sequence[Change], again: Sequence[Change]) -> None:
        self.ready = deque(_requests(changes))
        self.ready.extend(replace(request, is_again=True) for request in _requests(again))
        self.in_flight = 0
        self._waiting: list[tuple[float, int, Request]] = []
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._order = itertools.count()

    def open(self) -> bool:
        """Whether a request has not come to its end."""
        return bool(self.ready or self._waiting or self.in_flight)

    def start(
        self,
        request: Request,
        pool: ThreadPoolExecutor,
        attempt: Callable[[Request], Answer],
    ) -> None:
        """Make one attempt at a request in the pool; its outcome comes by ``next_outcome``."""

        def run() -> None:
            try:
                self._outcomes.put((request, attempt(request)))
            except BaseException as error:
                self._outcomes.put((request, error))

        # Refused where the host has no thread left: then there is no outcome to wait for.
        pool.submit(run)
        self.in_flight += 1

    def wait(self, request: Request, until: float) -> None:
        """Keep a request until some moment."""
        heapq.heappush(self._waiting, (until, next(self._order), request))

    def wake(self, now: float) -> None:
        """Make ready what has waited long enough."""
        while self._waiting and self._waiting[0][0] <= now:
            self.ready.append(heapq.heappop(self._waiting)[2])

    def next_outcome(self, now: float) -> Outcome | None:
        """The next finished attempt; ``None`` when it is time for something else."""
        patience = LONGEST_WAIT
        if self._waiting:
            patience = max(0.0, min(patience, self._waiting[0][0] - now))
        try:
            outcome = self._outcomes.get(timeout=patience)
        except Empty:
            return None
        self.in_flight -= 1
        return outcome

    def drain(self) -> None:
        """Wait for what is on the wire; each attempt is bounded by the client's timeouts."""
        while self.in_flight:
            self._outcomes.get()
            self.in_flight -= 1


def _requests(changes: Sequence[Change]) -> Iterator[Request]:
    part: list[Change] = []
    size = 0
    for change in changes:
        length = len(change.key if change.image is None else change.image)
        is_full = len(part) == MAX_CHANGES_PER_REQUEST or size + length > MAX_BYTES_PER_REQUEST
        if part and is_full:
            yield Request(part)
            part, size = [], 0
        part.append(change)
        size += length
    if part:
        yield Request(part)


def rest(request: Request, answer: Answer) -> Request:
    """The request with only those changes that DynamoDB handed back.

    Should an echoed item not be found among the changes, all are sent again: applying a change
    twice in a row does no harm, losing one does.
    """
    if answer.error:
        return request
    names = list(orjson.loads(request.changes[0].key))
    by_key = {change.key: change for change in request.changes}
    keys = [_key_of(write, names) for write in unprocessed(answer)]
    if not all(key in by_key for key in keys):
        return request
    return replace(request, changes=[by_key[key] for key in keys])


def _key_of(write: dict[str, Any], names: list[str]) -> bytes:
    item = write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]
    return canonical_key({name: item.get(name) for name in names})
