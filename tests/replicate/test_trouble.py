"""A destination in trouble costs a few lines of log, however many attempts fail."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import pytest

from kcl_processor.replicate.trouble import Trouble
from tests.fakes import HandClock


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


def test_throttling_that_comes_and_goes_is_few_lines(lines: Callable[[], list[str]]) -> None:
    """Successes between failures neither end the trouble nor start another."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    for _ in range(100):
        trouble.met("UnprocessedItems", "")
        clock.turn(0.3)
        trouble.passed()
    assert len(lines()) == 2


def test_a_trouble_that_lasts_is_told_again_ever_more_seldom(
    lines: Callable[[], list[str]],
) -> None:
    """After 10 s, 30, 70, 150, 310, and then every five minutes."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    for _ in range(3600):
        trouble.met("InternalServerError", "")
        clock.turn(1)
    assert 15 <= len(lines()) <= 17


def test_mixed_faults_are_counted_by_kind(lines: Callable[[], list[str]]) -> None:
    """However often the kinds take turns, there is no line for each change."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    for _ in range(600):
        for kind in ("ReadTimeoutError", "InternalServerError", "UnprocessedItems"):
            trouble.met(kind, "")
        clock.turn(0.2)
    assert len(lines()) == 4
    assert "InternalServerError" in lines()[-1] and "ReadTimeoutError" in lines()[-1]
    (count,) = set(re.findall(r"(\d+) UnprocessedItems", lines()[-1]))
    assert int(count) > 300


def test_the_end_of_a_trouble_is_told_once(lines: Callable[[], list[str]]) -> None:
    """The first success after a calm of half a reminder says how long it was."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    trouble.met("InternalServerError", "")
    clock.turn(10)
    trouble.met("InternalServerError", "")
    clock.turn(9)
    trouble.passed()
    assert len(lines()) == 2
    clock.turn(1)
    trouble.passed()
    trouble.passed()
    assert lines()[-1].endswith("2 InternalServerError")
    assert lines()[-1].startswith("replica takes writes again; the trouble lasted 10.0 s")
    assert len(lines()) == 3


def test_a_trouble_that_comes_back_every_few_seconds_is_one(
    lines: Callable[[], list[str]],
) -> None:
    """In an hour of a failure every six seconds, it is not told as six hundred."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    for second in range(3600):
        if second % 6:
            trouble.passed()
        else:
            trouble.met("UnprocessedItems", "")
        clock.turn(1)
    assert len(lines()) <= 20
    assert lines()[-1].endswith("the last one: UnprocessedItems")


def test_after_a_long_calm_a_trouble_is_a_new_one(lines: Callable[[], list[str]]) -> None:
    """It is told as soon as it begins, and passes as soon as the first did."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    trouble.met("InternalServerError", "")
    clock.turn(400)
    trouble.passed()
    trouble.met("UnprocessedItems", "")
    clock.turn(5)
    trouble.passed()
    assert len(lines()) == 4 and lines()[-1].endswith("0.0 s: 1 UnprocessedItems")
