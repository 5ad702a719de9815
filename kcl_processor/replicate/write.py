"""Changes to the destination: every one of them applied, however often that takes.

A batch is a barrier. ``Writer.write`` returns when each change is durable, so a key is never in
flight twice and the position behind the batch is safe to checkpoint. Within the batch, requests of
up to 25 changes run at once; what is throttled, unprocessed or broken waits and goes out again.

All decisions are made on the calling thread. The pool's threads make single attempts and put
their outcome on a queue, so order, retries and the fence need no lock.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import orjson

from kcl_processor.aws.codes import NOT_SENT
from kcl_processor.aws.wire import Answer
from kcl_processor.clock import Clock
from kcl_processor.replicate.backoff import Window, delay
from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.destination import (
    MAX_BYTES_PER_REQUEST,
    MAX_CHANGES_PER_REQUEST,
    Destination,
    unprocessed,
)
from kcl_processor.replicate.renewal import Renewal
from kcl_processor.replicate.trouble import Trouble
from kcl_processor.replicate.verdict import Verdict, credentials_error, judge, stopping_error

# Seconds the loop waits at most for an outcome, so that it can renew the proof of those under way.
_LONGEST_WAIT = 1.0


class Fence(Protocol):
    """What stands between a batch and a destination that is no longer ours to write."""

    def hold(self) -> None:
        """Prove that writing is still allowed if the last proof is old; raise if it is not."""

    def remaining(self) -> float:
        """Seconds for which the last proof still holds; cheap, called by the pool's threads."""


class Refusals(Protocol):
    """Where a change goes that the destination never accepts."""

    def refuse(self, change: Change, answer: Answer) -> None:
        """Make the change durable elsewhere, or raise to stop."""


@dataclass(slots=True)
class Tally:
    """What a writer has done since it was made; plain numbers that metrics read."""

    written: int = 0
    retried: int = 0
    refused: int = 0
    requests: int = 0
    throttled: int = 0
    consumed: float = 0.0


@dataclass(slots=True)
class _Request:
    changes: Sequence[Change]
    attempts: int = 0


_Outcome = tuple[_Request, "Answer | BaseException"]


class Writer:
    """Applies batches of changes to one destination table.

    Args:
        destination: one attempt at a time, from many threads.
        refusals: what happens to a change the destination never accepts.
        window: how many requests may run at once; it learns over the writer's life.
        pool: runs the attempts; it needs at least as many threads as the window's largest size.
        backoff: attempts so far to seconds of waiting.
        on_progress: called when an attempt has ended, well or not. An outage is attempt after
            attempt, each within the client's timeouts; one that never returns is no progress.
    """

    def __init__(
        self,
        destination: Destination,
        refusals: Refusals,
        clock: Clock,
        window: Window,
        pool: ThreadPoolExecutor,
        backoff: Callable[[int], float] = delay,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = Tally()
        self._destination = destination
        self._refusals = refusals
        self._clock = clock
        self._window = window
        self._pool = pool
        self._backoff = backoff
        self._breaker = Breaker(destination.table)
        self._on_progress = on_progress
        self._trouble = Trouble(destination.table, clock)
        self._renewal = Renewal(clock)

    def write(self, changes: Sequence[Change], fence: Fence) -> None:
        """Apply every change, then return. Keys must be distinct: coalesce first.

        Raises:
            OperatorError: the destination cannot take the changes; some may have been applied.
            Whatever ``fence.hold`` raises: nothing more is sent, and nothing is in flight.
        """
        batch = _Batch(changes)
        try:
            while batch.open():
                self._send_ready(batch, fence)
                self._take_outcome(batch, fence)
        finally:
            batch.drain()

    def _send_ready(self, batch: _Batch, fence: Fence) -> None:
        batch.wake(self._clock.elapsed())
        while batch.ready and batch.in_flight < self._window.size:
            fence.hold()
            batch.start(batch.ready.popleft(), self._pool, self._attempt, fence)

    def _attempt(self, request: _Request, fence: Fence) -> Answer:
        return self._destination.send(request.changes, fence.remaining)

    def _take_outcome(self, batch: _Batch, fence: Fence) -> None:
        outcome = batch.next_outcome(self._clock.elapsed())
        if outcome is None:
            # What is slow to connect or to answer goes on as long as the proof is renewed.
            if batch.in_flight:
                fence.hold()
            return
        self._on_progress()
        request, answer = outcome
        if isinstance(answer, BaseException):
            raise answer
        if answer.error == NOT_SENT:
            batch.ready.append(request)
            return
        self._count(answer)
        self._settle(batch, request, answer)

    def _count(self, answer: Answer) -> None:
        self.tally.requests += 1
        self.tally.consumed += answer.consumed

    def _settle(self, batch: _Batch, request: _Request, answer: Answer) -> None:
        verdict = judge(answer)
        self._renewal.note(verdict)
        match verdict:
            case Verdict.APPLIED:
                self._accepted(len(request.changes))
                self._window.succeeded()
                self._trouble.passed()
            case Verdict.THROTTLED:
                self.tally.throttled += 1
                rest = _rest(request, answer)
                # A single change is one hot key's: its partition is busy, the table is not.
                if len(rest.changes) > 1:
                    self._window.throttled()
                self._accepted(len(request.changes) - len(rest.changes))
                self._retry(batch, rest, answer)
            case Verdict.RENEW_CREDENTIALS if self._renewal.is_overdue():
                seconds = self._renewal.seconds()
                raise credentials_error(answer, self._destination.table, seconds)
            case Verdict.RETRY | Verdict.RENEW_CREDENTIALS:
                self._retry(batch, request, answer)
            case Verdict.REFUSED:
                self._narrow(batch, request, answer)
            case Verdict.STOP:
                raise stopping_error(answer, self._destination.table)

    def _accepted(self, changes: int) -> None:
        self.tally.written += changes
        if changes:
            self._breaker.accepted()

    def _retry(self, batch: _Batch, request: _Request, answer: Answer) -> None:
        self._trouble.met(answer.error or "UnprocessedItems", answer.message)
        self.tally.retried += len(request.changes)
        request.attempts += 1
        batch.wait(request, self._clock.elapsed() + self._backoff(request.attempts))

    def _narrow(self, batch: _Batch, request: _Request, answer: Answer) -> None:
        """One bad item fails its whole request: send each change alone to find it."""
        if len(request.changes) > 1:
            batch.ready.extend(_Request([change]) for change in request.changes)
            return
        self.tally.refused += 1
        self._refusals.refuse(request.changes[0], answer)
        self._breaker.refused(request.changes[0], answer)


class _Batch:
    """The requests of one batch: ready, waiting for their time, or in flight."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.ready = deque(_requests(changes))
        self.in_flight = 0
        self._waiting: list[tuple[float, int, _Request]] = []
        self._outcomes: SimpleQueue[_Outcome] = SimpleQueue()
        self._order = itertools.count()

    def open(self) -> bool:
        return bool(self.ready or self._waiting or self.in_flight)

    def start(
        self,
        request: _Request,
        pool: ThreadPoolExecutor,
        attempt: Callable[[_Request, Fence], Answer],
        fence: Fence,
    ) -> None:
        def run() -> None:
            try:
                self._outcomes.put((request, attempt(request, fence)))
            except BaseException as error:
                self._outcomes.put((request, error))

        self.in_flight += 1
        pool.submit(run)

    def wait(self, request: _Request, until: float) -> None:
        heapq.heappush(self._waiting, (until, next(self._order), request))

    def wake(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            self.ready.append(heapq.heappop(self._waiting)[2])

    def next_outcome(self, now: float) -> _Outcome | None:
        """The next finished attempt; ``None`` when it is time for something else."""
        patience = _LONGEST_WAIT
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


def _requests(changes: Sequence[Change]) -> Iterator[_Request]:
    part: list[Change] = []
    size = 0
    for change in changes:
        length = len(change.key if change.image is None else change.image)
        is_full = len(part) == MAX_CHANGES_PER_REQUEST or size + length > MAX_BYTES_PER_REQUEST
        if part and is_full:
            yield _Request(part)
            part, size = [], 0
        part.append(change)
        size += length
    if part:
        yield _Request(part)


def _rest(request: _Request, answer: Answer) -> _Request:
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
    return _Request([by_key[key] for key in keys], request.attempts)


def _key_of(write: dict[str, Any], names: list[str]) -> bytes:
    item = write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]
    return canonical_key({name: item.get(name) for name in names})
