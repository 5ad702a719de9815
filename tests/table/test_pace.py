"""Rates, gates, and the end of waiting."""

from __future__ import annotations

import threading

import pytest

from kcl_processor.replicate.backoff import Window
from kcl_processor.table.pace import Gate, Halt, Halted, Pace
from tests.fakes import HandClock


def test_a_rate_is_kept_over_time() -> None:
    """A hundred units at ten a second take ten seconds, less the first call's."""
    clock = HandClock()
    pace = Pace(10.0, clock, clock.turn)
    began = clock.elapsed()
    for _ in range(10):
        pace.take(10)
    assert clock.elapsed() - began == pytest.approx(9.0)


def test_what_a_call_really_cost_is_paid_by_the_next() -> None:
    """A call that was thought cheap makes the next one wait."""
    clock = HandClock()
    pace = Pace(10.0, clock, clock.turn)
    pace.take(0)
    pace.settle(0, 50)
    began = clock.elapsed()
    pace.take(1)
    assert clock.elapsed() - began == pytest.approx(5.0)


def test_idle_time_is_not_saved_up() -> None:
    """After a pause there is no burst above the rate."""
    clock = HandClock()
    pace = Pace(10.0, clock, clock.turn)
    clock.turn(3600)
    pace.take(10)
    began = clock.elapsed()
    pace.take(10)
    assert clock.elapsed() - began == pytest.approx(1.0)


def test_without_a_rate_nothing_waits() -> None:
    """``None`` lets everything through."""
    clock = HandClock()
    pace = Pace(None, clock, lambda _seconds: pytest.fail("it waited"))
    pace.take(1e9)
    pace.settle(1e9, 1e9)
    pace.take(1e9)


def test_halt_ends_waiting() -> None:
    """Whoever waits is told at once."""
    halt = Halt()
    halt.wait(0)
    threading.Timer(0.05, halt.set).start()
    with pytest.raises(Halted):
        halt.wait(30)


def test_throttling_narrows_the_gate() -> None:
    """No more threads are inside than the window allows."""
    gate = Gate(Window(largest=8, size=4))
    gate.throttled()
    inside = []
    third = threading.Thread(target=lambda: inside.append(gate.__enter__()))
    with gate, gate:
        third.start()
        third.join(0.1)
        assert third.is_alive() and not inside
    third.join(5)
    assert inside
