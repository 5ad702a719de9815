"""The machine's own clocks."""

from __future__ import annotations

import time

import pytest

from kcl_processor.clock import SystemClock


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
