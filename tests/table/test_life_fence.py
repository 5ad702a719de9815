"""Whoever has not shown of late that he lives writes no item of a copy."""

from __future__ import annotations

from kcl_processor.table.life_fence import LifeFence
from tests.fakes import HandClock


def test_a_fence_stands_from_a_sign_of_life_until_it_is_old() -> None:
    """A sign counts from when it was begun; who waits goes on with the next one."""
    clock = HandClock()
    asked: list[float] = []

    def wait(seconds: float) -> None:
        asked.append(seconds)
        fence.shown(clock.elapsed())

    fence = LifeFence(clock, wait)
    assert fence.remaining() <= 0
    fence.shown(clock.elapsed() - 5)
    assert fence.remaining() == 15
    fence.hold()
    assert not asked
    clock.turn(15)
    fence.hold()
    assert asked and fence.remaining() == 20
