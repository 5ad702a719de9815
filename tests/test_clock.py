"""The machine's own clocks."""

from __future__ import annotations

import time

import pytest

from kcl_processor.clock import Spaced, SystemClock, utc
from tests.fakes import HandClock


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this kernel has no such clock")
def test_elapsed_runs_on_while_the_machine_is_suspended() -> None:
    """It is the clock that counts a suspend: a lease runs out meanwhile, too."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    elapsed = SystemClock().elapsed()
    assert before <= elapsed <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_awake_stands_still_while_the_machine_is_suspended() -> None:
    """It is the clock that does not count a suspend."""
    before = time.monotonic()
    assert before <= SystemClock().awake() <= time.monotonic()


def test_now_is_the_wall_clocks() -> None:
    """Seconds since the epoch, as DynamoDB and KCL count them."""
    before = time.time()
    assert before <= SystemClock().now() <= time.time()


def test_a_moment_is_told_in_utc() -> None:
    """To the second, and cut off there, unless more is asked for."""
    assert utc(1_700_000_000.9996) == "2023-11-14T22:13:20Z"
    assert utc(1_700_000_000.25, "milliseconds") == "2023-11-14T22:13:20.250Z"
    with pytest.raises((ValueError, OverflowError)):
        utc(1e30)


def test_what_is_spaced_is_done_every_so_often() -> None:
    """At the first call, too; what failed is done again at the next one."""
    clock, done, fails = HandClock(), list[float](), [True]

    def do() -> None:
        done.append(clock.elapsed())
        if fails:
            fails.pop()
            raise ZeroDivisionError

    spaced, began = Spaced(do, 5.0, clock), clock.elapsed()
    with pytest.raises(ZeroDivisionError):
        spaced()
    for _ in range(12):
        spaced()
        clock.turn(1)
    assert [at - began for at in done] == [0, 0, 5, 10]
