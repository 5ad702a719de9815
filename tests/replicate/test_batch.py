"""One batch on its way: what is ready, and what is left of a request."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kcl_processor.aws.wire import Answer
from kcl_processor.replicate.batch import Batch, Request, rest
from tests.fakes import OK, echo, handed_back, put, remove


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
