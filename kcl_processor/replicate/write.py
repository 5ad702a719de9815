"""Changes to the destination: every one of them applied, however often that takes.

A batch is a barrier. ``Writer.write`` returns when each change is durable, so a key is never in
flight twice and the position behind the batch is safe to checkpoint, but for what is in doubt.
Within the batch, requests of up to 25 changes run at once; what is throttled, unprocessed or broken
waits and goes out again.

All decisions are made on the calling thread. The pool's threads make single attempts and put
their outcome on a queue, so order, retries and the fence need no lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from kcl_processor.aws.codes import NOT_SENT
from kcl_processor.aws.wire import Answer
from kcl_processor.clock import Clock
from kcl_processor.replicate.backoff import Window, delay
from kcl_processor.replicate.batch import Batch, Request, rest
from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.destination import Destination
from kcl_processor.replicate.doubt import Doubts
from kcl_processor.replicate.refusals import Refusals
from kcl_processor.replicate.renewal import Renewal
from kcl_processor.replicate.trouble import Trouble
from kcl_processor.replicate.verdict import Verdict, credentials_error, judge, stopping_error

# Seconds between two looks at what is in doubt, when nothing else is to be done.
_SETTLING = 1.0


class Fence(Protocol):
    """What stands between a batch and a destination that is no longer ours to write."""

    def hold(self) -> None:
        """Prove that writing is still allowed if the last proof is old; raise if it is not."""

    def remaining(self) -> float:
        """Seconds for which the last proof still holds; cheap, called by the pool's threads."""


@dataclass(slots=True)
class Tally:
    """What a writer has done since it was made; plain numbers that metrics read."""

    written: int = 0
    retried: int = 0
    refused: int = 0
    requests: int = 0
    throttled: int = 0
    consumed: float = 0.0


class Writer:
    """Applies batches of changes to one destination table.

    Args:
        destination: one attempt at a time, from many threads.
        refusals: what happens to a change the destination never accepts.
        wait: waits for some seconds.
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
        wait: Callable[[float], None],
        window: Window,
        pool: ThreadPoolExecutor,
        backoff: Callable[[int], float] = delay,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = Tally()
        self.doubts = Doubts(clock)
        self._wait = wait
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
        while self.doubts.is_full():
            self._wait_for_doubts(fence)
        keys = {change.key for change in changes} if self.doubts else ()
        self._apply(Batch(changes, [c for c in self.doubts.due() if c.key not in keys]), fence)

    def settle(self, fence: Fence) -> None:
        """Wait until nothing is in doubt, a minute at the longest while the destination answers.

        Raises:
            As :meth:`write` does.
        """
        while self.doubts:
            self._wait_for_doubts(fence)

    def _wait_for_doubts(self, fence: Fence) -> None:
        fence.hold()
        self._wait(_SETTLING)
        self._on_progress()
        self._apply(Batch((), self.doubts.due()), fence)

    def _apply(self, batch: Batch, fence: Fence) -> None:
        try:
            while batch.open():
                self._send_ready(batch, fence)
                self._take_outcome(batch, fence)
        finally:
            batch.drain()
        self._trouble.passed()

    def _send_ready(self, batch: Batch, fence: Fence) -> None:
        batch.wake(self._clock.elapsed())
        while batch.ready and batch.in_flight < self._window.size:
            fence.hold()
            request = batch.ready.popleft()
            request.asked_at = self._clock.elapsed()
            batch.start(
                request,
                self._pool,
                lambda request: self._destination.send(request.changes, fence.remaining),
            )

    def _take_outcome(self, batch: Batch, fence: Fence) -> None:
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
        if answer.in_doubt:
            self.doubts.began(request.changes)
        self._settle(batch, request, answer)

    def _count(self, answer: Answer) -> None:
        self.tally.requests += 1
        self.tally.consumed += answer.consumed

    def _settle(self, batch: Batch, request: Request, answer: Answer) -> None:
        verdict = judge(answer)
        self._renewal.note(verdict)
        match verdict:
            case Verdict.APPLIED:
                self._accepted(request, request.changes)
                self._window.succeeded()
            case Verdict.THROTTLED:
                self._throttled(batch, request, rest(request, answer), answer)
            case Verdict.RENEW_CREDENTIALS if self._renewal.is_overdue():
                seconds = self._renewal.seconds()
                raise credentials_error(answer, self._destination.table, seconds)
            case Verdict.RETRY | Verdict.RENEW_CREDENTIALS:
                self._retry(batch, request, answer)
            case Verdict.REFUSED:
                self._narrow(batch, request, answer)
            case Verdict.STOP:
                raise stopping_error(answer, self._destination.table)

    def _throttled(self, batch: Batch, request: Request, left: Request, answer: Answer) -> None:
        self.tally.throttled += 1
        # A single change is one hot key's: its partition is busy, the table is not.
        if len(left.changes) > 1:
            self._window.throttled()
        keys = {change.key for change in left.changes}
        self._accepted(request, [change for change in request.changes if change.key not in keys])
        self._retry(batch, left, answer)

    def _accepted(self, request: Request, changes: Sequence[Change]) -> None:
        if changes:
            self._breaker.accepted(changes)
            self.doubts.applied(changes, request.asked_at)
        if not request.is_again:
            self.tally.written += len(changes)

    def _retry(self, batch: Batch, request: Request, answer: Answer) -> None:
        self._trouble.met(answer.error or "UnprocessedItems", answer.message)
        self.tally.retried += len(request.changes)
        request.attempts += 1
        batch.wait(request, self._clock.elapsed() + self._backoff(request.attempts))

    def _narrow(self, batch: Batch, request: Request, answer: Answer) -> None:
        """One bad item fails its whole request: send each change alone to find it."""
        if len(request.changes) > 1:
            batch.ready.extend(replace(request, changes=[change]) for change in request.changes)
            return
        self.tally.refused += 1
        self._refusals.refuse(request.changes[0], answer)
        self.doubts.refused(request.changes[0])
        self._breaker.refused(request.changes[0], answer)
