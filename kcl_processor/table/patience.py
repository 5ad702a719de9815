"""Calls that are repeated until they are answered, at a pace, with an operator's errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kcl_processor.aws.codes import DENIED, UNKNOWN_HINT
from kcl_processor.aws.wire import Answer
from kcl_processor.clock import Clock
from kcl_processor.errors import OperatorError, PermissionDenied
from kcl_processor.replicate.backoff import delay
from kcl_processor.replicate.renewal import Renewal
from kcl_processor.replicate.verdict import Verdict, judge
from kcl_processor.table.pace import Gate, Pace

_log = logging.getLogger(__name__)

# Failed attempts of one call between lines of log.
_ATTEMPTS_PER_LINE = 15
_CONDITION_FAILED = "ConditionalCheckFailedException"


class Refused(OperatorError):
    """The service never accepts this call, for what it asks; another may be answered.

    Attributes:
        answer: what it said.
    """

    answer: Answer


class ConditionFailed(Exception):
    """The item is not what the call's condition says; nothing was written."""


class Caller(Protocol):
    """One attempt at a call; :class:`~kcl_processor.aws.wire.Endpoint` is one."""

    def call(self, operation: str, body: bytes) -> Answer:
        """Make one attempt; never raises."""


@dataclass(slots=True)
class CallTally:
    """What was called; plain numbers. ``consumed`` are capacity units."""

    requests: int = 0
    throttled: int = 0
    consumed: float = 0.0


class PatientCalls:
    """Calls on one table. Safe to use from many threads at once.

    Args:
        table: the table's name, for errors.
        error: what a failure that will not pass is raised as; it says which side broke.
        gate: how many calls may be under way; throttling narrows it.
        wait: waits for some seconds; what it raises ends a call.
    """

    def __init__(
        self,
        table: str,
        caller: Caller,
        error: type[OperatorError],
        pace: Pace,
        gate: Gate,
        clock: Clock,
        wait: Callable[[float], None],
    ) -> None:
        self.table = table
        self.tally = CallTally()
        self._caller = caller
        self._error = error
        self._pace = pace
        self._gate = gate
        self._clock = clock
        self._wait = wait

    def call(self, operation: str, body: bytes, expected: float, doubt: float = 0.0) -> Answer:
        """Repeat a call until it is answered; give the answer, which is no error.

        Args:
            expected: its cost in capacity units.
            doubt: seconds after which an attempt has settled whose fate is unknown; the call does
                not end before that.

        Raises:
            Refused: it never will be, for what it asks.
            OperatorError: it will not be answered.
            ConditionFailed: it has a condition, which does not hold.
        """
        failures = _Failures(self._clock)
        while True:
            self._pace.take(expected)
            with self._gate:
                answer = self._caller.call(operation, body)
            if answer.in_doubt:
                failures.settled_at = self._clock.elapsed() + doubt
            elif not answer.error or answer.error == _CONDITION_FAILED:
                self._wait_until(failures.settled_at)
            if not answer.error:
                self._answered(expected, answer.units(expected))
                return answer
            if answer.error == _CONDITION_FAILED:
                # It is looked at like an item that is written, and costs as much.
                self._answered(expected, expected)
                raise ConditionFailed
            self._pace.settle(expected, 0.0)
            self._failed(operation, answer, failures)
            self._wait(delay(failures.attempts))

    def _wait_until(self, moment: float) -> None:
        seconds = moment - self._clock.elapsed()
        if seconds > 0:
            self._wait(seconds)

    def _answered(self, expected: float, units: float) -> None:
        self._gate.succeeded()
        self._pace.settle(expected, units)
        self.tally.requests += 1
        self.tally.consumed += units

    def _failed(self, operation: str, answer: Answer, failures: _Failures) -> None:
        """Return when the call is to be repeated."""
        said = f"{answer.error}: {answer.message}"
        verdict = judge(answer)
        failures.count(verdict)
        match verdict:
            case Verdict.THROTTLED:
                self._gate.throttled()
                self.tally.throttled += 1
            case Verdict.RENEW_CREDENTIALS if failures.renewal.is_overdue():
                raise PermissionDenied(
                    f"The credentials for table {self.table} are refused for "
                    f"{failures.renewal.seconds():.0f} s ({said}).",
                    "renew the credentials, check this host's clock, then start again",
                )
            case Verdict.REFUSED:
                raise self._refused(operation, answer, said)
            case Verdict.STOP:
                raise self._stopping(operation, answer.error, said)
        if failures.attempts % _ATTEMPTS_PER_LINE == 0:
            seconds = failures.seconds()
            _log.warning("%s of %s fails for %.0f s: %s", operation, self.table, seconds, said)

    def _stopping(self, operation: str, code: str, said: str) -> OperatorError:
        if code in DENIED:
            return PermissionDenied(
                f"dynamodb:{operation} on table {self.table} is denied ({said}).",
                f"allow dynamodb:{operation} on the table for these credentials",
            )
        return self._error(
            f"dynamodb:{operation} on table {self.table} failed ({said}).", UNKNOWN_HINT
        )

    def _refused(self, operation: str, answer: Answer, said: str) -> Refused:
        refused = Refused(
            f"Table {self.table} never accepts this {operation} ({said}).", UNKNOWN_HINT
        )
        refused.exit_code, refused.answer = self._error.exit_code, answer
        return refused


class _Failures:
    """The attempts of one call that failed."""

    def __init__(self, clock: Clock) -> None:
        self.attempts = 0
        self.settled_at = 0.0
        self.renewal = Renewal(clock)
        self._clock = clock
        self._began = clock.elapsed()

    def count(self, verdict: Verdict) -> None:
        self.attempts += 1
        self.renewal.note(verdict)

    def seconds(self) -> float:
        return self._clock.elapsed() - self._began
