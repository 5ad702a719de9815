"""One batch on its way: what is ready, and what is left of a request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest

from kcl_processor.aws.wire import Answer
from kcl_processor.config.kcl_properties import SETTABLE
from kcl_processor.replicate.batch import LONGEST_WAIT, Batch, Request, rest
from kcl_processor.replicate.checkpoint import Position
from kcl_processor.replicate.work import PROOF_SHARE
from tests.fakes import OK, HandClock, echo, handed_back, put, remove


def test_what_is_written_again_is_in_requests_of_its_own() -> None:
    """It does not count as written a second time, so it is told apart."""
    batch = Batch([put("a")], [put("b")])
    assert [(list(request.changes), request.is_again) for request in batch.ready] == [
        ([put("a")], False),
        ([put("b")], True),
    ]


def test_a_request_waits_for_its_moment() -> None:
    """It is ready again when the clock says so, and the batch is open until then."""
    batch = Batch([put("a")], ())
    batch.wait(batch.ready.popleft(), until=5.0)
    batch.wake(4.9)
    assert batch.open() and not batch.ready
    batch.wake(5.0)
    assert len(batch.ready) == 1


def test_nothing_comes_of_a_batch_whose_requests_wait() -> None:
    """Whoever asks is not held up past the moment of the first."""
    batch = Batch([put("a")], ())
    batch.wait(batch.ready.popleft(), until=5.0)
    assert batch.next_outcome(5.0) is None


def test_an_outcome_comes_back_with_its_request() -> None:
    """Whatever the attempt came to, an exception too; then nothing is in flight."""
    batch, broken = Batch([put("a"), put("b")], ()), RuntimeError("a bug")
    request = batch.ready.popleft()

    def attempt(asked: Request) -> Answer:
        if asked is request:
            return OK
        raise broken

    with ThreadPoolExecutor(1) as pool:
        batch.start(request, pool, attempt)
        assert batch.next_outcome(0.0) == (request, OK)
        batch.start(Request([put("c")]), pool, attempt)
        outcome = batch.next_outcome(0.0)
    assert outcome and outcome[1] is broken and not batch.open()


def test_what_is_left_is_what_was_handed_back() -> None:
    """A request that failed is left whole; one that was handed back in part keeps its count."""
    request = Request([put("a"), remove("b")], attempts=3, is_again=True)
    left = rest(request, handed_back([echo(remove("b"))]))
    assert (list(left.changes), left.attempts, left.is_again) == ([remove("b")], 3, True)
    assert rest(request, Answer(400, "ThrottlingException")) is request


def test_a_proof_is_renewed_before_it_ends_whatever_the_failover_time() -> None:
    """Or each request that the destination takes longer for would be given up, and made again."""
    bounds = SETTABLE["failoverTimeMillis"].bounds
    assert bounds
    lifetime = PROOF_SHARE * bounds[0] / 1000
    clock = HandClock()
    position = Position("TRIM_HORIZON", clock, 5, lifetime, clock.turn)
    proofs: list[str | None] = []

    class Checkpointer:
        def record(self, sequence_number: str | None) -> None:
            proofs.append(sequence_number)
            clock.turn(0.05)

    position.use(Checkpointer())
    position.hold()
    for _ in range(100):
        clock.turn(LONGEST_WAIT)
        assert position.remaining() > 0.05
        position.hold()
    assert 1 < len(proofs) < 30


def test_an_attempt_that_no_thread_can_make_is_not_waited_for() -> None:
    """A host without a thread left ends the record processor at once, not by its watchdog."""

    class NoThreads(ThreadPoolExecutor):
        def submit(self, *_: object, **__: object) -> NoReturn:
            raise RuntimeError("can't start new thread")

    batch = Batch([put("a")], ())
    with pytest.raises(RuntimeError):
        batch.start(batch.ready.popleft(), NoThreads(1), lambda _: OK)
    batch.drain()
    assert not batch.in_flight
