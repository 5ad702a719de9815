"""Fakes for the edges: a clock turned by hand, a destination that records, a KCL that answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from math import inf
from typing import Any

from kcl_processor.aws.codes import NOT_SENT
from kcl_processor.aws.wire import Answer
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.checkpoint import CheckpointRefused, LeaseLost
from kcl_processor.replicate.destination import unprocessed

OK = Answer(status=200)
THROTTLED = Answer(400, "ProvisionedThroughputExceededException", "slow down")
BROKEN = Answer(500, "InternalServerError", "try again")
LOST = Answer(0, "ReadTimeoutError", "read timed out", in_doubt=True)
INVALID = Answer(400, "ValidationException", "One or more parameter values were invalid")


class HandClock:
    """A clock that stands still until a test turns it."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.asleep = 0.0

    def elapsed(self) -> float:
        return self.seconds

    def awake(self) -> float:
        return self.seconds - self.asleep

    def now(self) -> float:
        return 1_700_000_000.0 + self.seconds

    def turn(self, seconds: float) -> None:
        self.seconds += seconds

    def suspend(self, seconds: float) -> None:
        self.turn(seconds)
        self.asleep += seconds


class Beside(Executor):
    """A pool whose work is done when a test says so."""

    def __init__(self) -> None:
        self._work: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._work.append((future, lambda: fn(*args, **kwargs)))
        return future

    def do(self) -> int:
        """Do it; how much there was."""
        work, self._work = self._work, []
        for future, step in work:
            future.set_result(step())
        return len(work)


def turning(clock: HandClock, then: Callable[[], object]) -> Callable[[float], None]:
    """A wait that turns a clock, and lets something happen meanwhile."""

    def wait(seconds: float) -> None:
        clock.turn(seconds)
        then()

    return wait


class RecordingDestination:
    """A destination that keeps the state of its items and the order in which writes arrived.

    Args:
        answer: given the changes of an attempt and its number, the reply to make; ``None`` and
            replies without an error apply the changes.
    """

    table = "replica"

    def __init__(
        self, answer: Callable[[Sequence[Change], int], Answer | None] = lambda _changes, _n: None
    ) -> None:
        self.items: dict[bytes, bytes] = {}
        self.attempts: list[list[Change]] = []
        self._answer = answer

    def send(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Answer:
        if remaining() <= 0:
            return Answer(0, NOT_SENT)
        self.attempts.append(list(changes))
        reply = self._answer(changes, len(self.attempts)) or OK
        if reply.error:
            return reply
        rest = {json.dumps(write, sort_keys=True) for write in unprocessed(reply)}
        for change in changes:
            if json.dumps(echo(change), sort_keys=True) not in rest:
                self.apply(change)
        return reply

    def apply(self, change: Change) -> None:
        """The change lands, whenever that is."""
        if change.image is None:
            self.items.pop(change.key, None)
        else:
            self.items[change.key] = change.image


class FakeCheckpointer:
    """KCL's side of checkpoints: records positions, or answers with errors lined up beforehand."""

    def __init__(self, *errors: type[LeaseLost] | CheckpointRefused | None) -> None:
        self.recorded: list[str | None] = []
        self.errors = list(errors)

    def record(self, sequence_number: str | None) -> None:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.recorded.append(sequence_number)


class OpenFence:
    """A fence that always lets through, and counts how often it was asked."""

    def __init__(self) -> None:
        self.held = 0

    def hold(self) -> None:
        self.held += 1

    def remaining(self) -> float:
        return inf


def put(name: str, sequence: int = 1, /, **attributes: Any) -> Change:
    """A change that puts an item with the key ``pk = name``."""
    item = {"pk": {"S": name}, **attributes}
    return Change(canonical_key({"pk": {"S": name}}), json.dumps(item).encode(), str(sequence), 0)


def remove(name: str, sequence: int = 1) -> Change:
    """A change that removes the item with the key ``pk = name``."""
    return Change(canonical_key({"pk": {"S": name}}), None, str(sequence), 0)


def echo(change: Change) -> dict[str, Any]:
    """The write request of a change, as DynamoDB echoes it when it was not processed."""
    if change.image is None:
        return {"DeleteRequest": {"Key": json.loads(change.key)}}
    return {"PutRequest": {"Item": json.loads(change.image)}}


def handed_back(writes: list[dict[str, Any]]) -> Answer:
    """The answer to a batch of which DynamoDB did not process these writes."""
    return Answer(200, body={"UnprocessedItems": {"replica": writes}})
