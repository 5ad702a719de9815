"""Calls that are repeated until they are answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import ExitCode, OperatorError, PermissionDenied, SourceError
from kcl_processor.replicate.backoff import Window
from kcl_processor.table.pace import Gate, Pace
from kcl_processor.table.patience import ConditionFailed, PatientCalls
from tests.fakes import HandClock

GOOD = Answer(status=200, body={"ConsumedCapacity": {"CapacityUnits": 2.5}})


def failed(error: str, status: int = 400) -> Answer:
    """An answer with an error code."""
    return Answer(status=status, error=error, message="said so")


class Service:
    """A table that answers in turn, and the patient calls on it."""

    def __init__(self, *answers: Answer, repeat: Answer | None = None) -> None:
        self.asked = 0
        self.waited: list[float] = []
        self.clock = HandClock()
        self.window = Window(largest=8, size=8)
        self._answers: Iterator[Answer] = iter(answers)
        self._repeat = repeat
        pace = Pace(None, self.clock, self._wait)
        self.calls = PatientCalls(
            "orders", self, SourceError, pace, Gate(self.window), self.clock, self._wait
        )

    def call(self, _operation: str, _body: bytes) -> Answer:
        self.asked += 1
        answer = next(self._answers, self._repeat)
        assert answer is not None, "it was asked too often"
        return answer

    def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.clock.turn(max(seconds, 1.0))


def test_what_passes_is_waited_for() -> None:
    """Throttling narrows the gate as well; only the answer counts as a request."""
    throttled = failed("ThrottlingException")
    service = Service(throttled, failed("InternalServerError", 500), failed("x", 0), GOOD)
    service.calls.call("Scan", b"{}", 1.0)
    assert (service.asked, len(service.waited)) == (4, 3)
    tally = service.calls.tally
    assert (tally.requests, tally.throttled, tally.consumed) == (1, 1, 2.5)
    assert service.window.size < 8


def test_a_call_whose_cost_is_not_told_costs_what_was_expected() -> None:
    """Some stores count no capacity, and a limit holds there as well."""
    service = Service(Answer(status=200, body={"Responses": {}}))
    service.calls.call("BatchGetItem", b"{}", 7.0)
    assert service.calls.tally.consumed == 7.0


@pytest.mark.parametrize(
    ("code", "ends", "says"),
    [
        ("AccessDeniedException", ExitCode.PERMISSION, "dynamodb:Scan on table orders is denied"),
        ("ResourceNotFoundException", ExitCode.SOURCE, "orders .*ResourceNotFoundException"),
        ("ValidationException", ExitCode.SOURCE, "orders .*ValidationException"),
    ],
)
def test_what_does_not_pass_ends_the_call_at_once(code: str, ends: ExitCode, says: str) -> None:
    """With the error of the side that broke."""
    service = Service(failed(code))
    with pytest.raises(OperatorError, match=says) as raised:
        service.calls.call("Scan", b"{}", 1.0)
    assert raised.value.exit_code == ends
    assert service.waited == []


@pytest.mark.parametrize("last", [GOOD, failed("ConditionalCheckFailedException")])
def test_a_call_outlasts_its_own_attempts(last: Answer) -> None:
    """One whose fate is unknown may land later; what is read then is not what it leaves."""
    service = Service(replace(failed("ReadTimeoutError", 0), in_doubt=True), last)
    began = service.clock.elapsed()
    with suppress(ConditionFailed):
        service.calls.call("PutItem", b"{}", 1.0, 60.0)
    assert service.clock.elapsed() - began >= 60


def test_a_condition_that_does_not_hold_is_no_failure() -> None:
    """It is told apart, for whoever made the condition, and costs what one that holds costs."""
    service = Service(failed("ConditionalCheckFailedException"))
    with pytest.raises(ConditionFailed):
        service.calls.call("PutItem", b"{}", 3.0)
    assert service.calls.tally.consumed == 3.0


def test_refused_credentials_have_five_minutes() -> None:
    """Whoever renews them may be late, but not for ever."""
    service = Service(repeat=failed("ExpiredTokenException"))
    began = service.clock.elapsed()
    with pytest.raises(PermissionDenied, match="credentials for table orders"):
        service.calls.call("Scan", b"{}", 1.0)
    assert 300 < service.clock.elapsed() - began < 310


def test_an_outage_before_a_refusal_uses_none_of_its_time() -> None:
    """Keys that expire while the table is away for an hour are renewed when it is back."""
    away, expired = failed("InternalServerError", 500), failed("ExpiredTokenException")
    service = Service(*[away] * 1000, *[expired] * 60, GOOD)
    assert service.calls.call("Scan", b"{}", 1.0) == GOOD
    assert service.clock.elapsed() > 1300


def test_a_wait_that_raises_ends_the_call() -> None:
    """That is how a copy is stopped."""

    class Stopped(Exception):
        pass

    def stop(_seconds: float) -> None:
        raise Stopped

    service = Service(repeat=failed("ThrottlingException"))
    pace = Pace(None, service.clock, stop)
    gate = Gate(service.window)
    calls = PatientCalls("orders", service, SourceError, pace, gate, service.clock, stop)
    with pytest.raises(Stopped):
        calls.call("Scan", b"{}", 1.0)
    assert service.asked == 1


def test_refused_credentials_get_their_time_whatever_was_before() -> None:
    """An outage of an hour, then keys that have expired meanwhile and are renewed."""
    expired = [failed("ExpiredTokenException")] * 100
    service = Service(*[failed("InternalServerError", 500)] * 3600, *expired, GOOD)
    assert service.calls.call("Scan", b"{}", 1.0) == GOOD
