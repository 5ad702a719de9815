"""Shards end and children begin: in order, and with a short pause."""

from __future__ import annotations

import signal
import statistics

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story


def test_three_generations_and_a_split(story: Stories, tell: Tell) -> None:
    """A child starts after its parent's last change is applied, and within four seconds."""
    told = story(lineages=2, preload=200, keys=200, rate=100.0)
    told.started()
    for generation in range(3):
        told.simulator.control(rollover=None)
        _generation_is_read(told, 2 * (generation + 1))
    told.simulator.control(split=0)
    _generation_is_read(told, 8)
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    pauses = verdict["rollover_pauses_s"]
    assert len(pauses) == 8 and statistics.median(pauses) < 4, pauses
    tell("rollover of every shard, and a split", told, verdict, 8, _of(pauses))


@pytest.mark.drill
def test_many_generations(story: Stories, tell: Tell) -> None:
    """Forty rollovers of four lineages pause a lineage for less than four seconds, mostly."""
    told = story(lineages=4, preload=500, keys=500, rate=200.0, hot_share=0.2)
    told.started()
    signal.sigtimedwait([], 10)
    told.simulator.control(reset_measurements=None)
    for generation in range(10):
        told.simulator.control(rollover=None)
        _generation_is_read(told, 4 * (generation + 1))
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    pauses = verdict["rollover_pauses_s"]
    assert statistics.median(pauses) < 4, pauses
    tell("rollover of four shards at once", told, verdict, len(pauses), _of(pauses))


def _generation_is_read(told: Story, rollovers: int) -> None:
    """Wait until that many children of shards have begun to arrive."""

    def read() -> bool:
        return len(told.simulator.verdict()["rollover_pauses_s"]) >= rollovers

    until(read, f"{rollovers} children begin", 30)


def _of(pauses: list[float]) -> str:
    return f"pause median {statistics.median(pauses):.1f} s, longest {max(pauses):.1f} s"
