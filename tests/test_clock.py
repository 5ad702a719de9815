"""The machine's own clocks."""

from __future__ import annotations

import time

import pytest

from kcl_processor.clock import SystemClock, utc


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
