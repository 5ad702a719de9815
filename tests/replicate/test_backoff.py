"""How long to wait, and how much may be under way."""

from __future__ import annotations

from kcl_processor.replicate.backoff import Window, delay


def test_the_backoff_is_capped_and_fully_jittered() -> None:
    """Delays start at nothing, double in their ceiling and end at four seconds."""
    ceilings = [delay(n, uniform=lambda _low, high: high) for n in range(1, 20)]
    assert ceilings[:4] == [0.05, 0.1, 0.2, 0.4] and max(ceilings) == 4.0
    assert delay(5, uniform=lambda low, _high: low) == 0.0


def test_the_window_halves_once_for_one_burst_of_throttling_and_grows_back() -> None:
    """Requests already sent when the first was throttled do not cut the window again."""
    window = Window(largest=64, size=32)
    for _ in range(16):
        window.throttled()
    assert window.size == 16
    for _ in range(900):
        window.succeeded()
    assert window.size == 64
