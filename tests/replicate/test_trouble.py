"""A destination in trouble costs a few lines of log, however many attempts fail."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from kcl_processor.replicate.trouble import Trouble
from tests.fakes import HandClock


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


def test_throttling_that_comes_and_goes_is_one_line(lines: Callable[[], list[str]]) -> None:
    """Successes between failures neither end the trouble nor start another."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    for _ in range(100):
        trouble.met("UnprocessedItems", "")
        clock.turn(0.3)
        trouble.passed()
    assert len(lines()) == 1


def test_a_trouble_that_lasts_is_told_again_each_minute(lines: Callable[[], list[str]]) -> None:
    """A reminder a minute says that it is not over."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    for _ in range(300):
        trouble.met("InternalServerError", "")
        clock.turn(1)
    assert len(lines()) == 5


def test_the_end_of_a_trouble_is_told_once(lines: Callable[[], list[str]]) -> None:
    """The first success after five calm seconds says how long it was."""
    clock = HandClock()
    trouble = Trouble("replica", clock)
    trouble.met("InternalServerError", "")
    clock.turn(10)
    trouble.met("InternalServerError", "")
    clock.turn(6)
    trouble.passed()
    trouble.passed()
    assert lines()[-1].startswith("replica takes writes again; the trouble lasted 10.0 s")
    assert len(lines()) == 2
