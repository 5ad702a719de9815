"""One process of the fleet heals at a time."""

from __future__ import annotations

import time

import pytest

from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Task
from kcl_processor.fleet.own_rows import read_own, replace_own
from kcl_processor.table import heal_turn
from kcl_processor.table.heal_turn import KEY, healing_turn
from kcl_processor.table.held_row import PartTaken
from kcl_processor.table.pace import Halt, Halted
from tests.fakes import HandClock


class Turning(Halt):
    """A halt whose waiting turns a clock, and lets others live meanwhile."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, seconds: float) -> None:
        super().wait(0.01 if seconds else 0)
        self._clock.turn(seconds)


def owner(task: Task) -> str:
    row = read_own(task, KEY)
    assert row
    return str(row["owner"]["S"])


def test_a_turn_ends_for_the_next_one(task: Task) -> None:
    """At once: nobody waits for a row that was let go."""
    clock = HandClock()
    for _ in range(2):
        with healing_turn(task, Turning(clock), clock) as turn:
            assert owner(task)
            turn.wait(1)
        assert owner(task) == ""
    assert clock.elapsed() < 1010


def test_who_lives_keeps_others_out(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row moves while it heals."""
    monkeypatch.setattr(heal_turn, "BEAT", 0.01)
    with healing_turn(task, Halt(), SystemClock()):
        other = HandClock()
        with (
            pytest.raises(PartTaken, match=r"A gap of task .* is being healed on"),
            healing_turn(task, Turning(other), other),
        ):
            pass
    assert owner(task) == ""


def test_who_was_killed_is_followed(task: Task) -> None:
    """When its row has stood still for as long as a living one's never does."""
    clock = HandClock()
    with healing_turn(task, Turning(clock), clock):
        row = read_own(task, KEY)
    assert row and replace_own(task, KEY, read_own(task, KEY), row)
    began = clock.elapsed()
    with healing_turn(task, Turning(clock), clock):
        assert owner(task) not in ("", row["owner"]["S"])
    assert clock.elapsed() - began >= 25


def test_who_was_taken_for_dead_stops(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was suspended, maybe: the other one heals."""
    monkeypatch.setattr(heal_turn, "BEAT", 0.01)
    with pytest.raises(PartTaken):
        _be_taken_for_dead(task)
    assert owner(task) == "another"


def test_a_halt_ends_a_turn(task: Task) -> None:
    """As the daemon's end does; the next start goes on at once."""
    halt = Halt()
    with healing_turn(task, halt, HandClock()) as turn:
        halt.set()
        with pytest.raises(Halted):
            turn.wait(60)
    assert owner(task) == ""


def _be_taken_for_dead(task: Task) -> None:
    with healing_turn(task, Halt(), HandClock()) as turn:
        while row := read_own(task, KEY):
            if replace_own(task, KEY, row, {**row, "owner": {"S": "another"}}):
                break
        until = time.monotonic() + 10
        while time.monotonic() < until:
            turn.wait(0.01)
