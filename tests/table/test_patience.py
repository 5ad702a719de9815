"""Calls that are repeated until they are answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kcl_processor.aws.codes import RENEWAL_SECONDS
from kcl_processor.aws.wire import Answer
from kcl_processor.errors import PermissionDenied, SourceError
from kcl_processor.replicate.backoff import Window
from kcl_processor.table.pace import Gate, Pace
from kcl_processor.table.patience import PatientCalls
from tests.fakes import BROKEN, OK, HandClock

EXPIRED = Answer(400, "ExpiredTokenException", "old")


class Scripted:
    """Answers as told, one minute after the other; the last answer stays."""

    def __init__(self, clock: HandClock, answers: Iterator[Answer]) -> None:
        self._clock = clock
        self._answers = answers

    def call(self, _operation: str, _body: bytes) -> Answer:
        self._clock.turn(60)
        return next(self._answers)


def calls(*answers: Answer) -> PatientCalls:
    clock = HandClock()
    caller = Scripted(clock, iter(answers))
    pace = Pace(None, clock, clock.turn)
    return PatientCalls(
        "t", caller, SourceError, pace, Gate(Window()), clock, lambda _seconds: None
    )


def test_refused_credentials_get_their_time_whatever_was_before() -> None:
    """An outage of an hour, then keys that have expired meanwhile and are renewed."""
    minutes = int(RENEWAL_SECONDS) // 60
    answers = [BROKEN] * 60 + [EXPIRED] * minutes + [OK]
    assert calls(*answers).call("GetItem", b"{}", 1.0) == OK


def test_credentials_that_stay_refused_are_named_in_the_end() -> None:
    """After their time, and not before."""
    minutes = int(RENEWAL_SECONDS) // 60
    with pytest.raises(PermissionDenied, match="refused for 360 s"):
        calls(*[EXPIRED] * (minutes + 2)).call("GetItem", b"{}", 1.0)
