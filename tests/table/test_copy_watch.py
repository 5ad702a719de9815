"""What ends a copy, what warns, and how it is told."""

from __future__ import annotations

import pytest

from kcl_processor.fleet.running import StillRunning
from kcl_processor.fleet.stream import HOUR
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.copy_watch import CopyListener, CopyWatch
from kcl_processor.table.pace import Halt, Halted
from tests.fakes import HandClock


class RecordingReport(CopyListener):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.told = 0
        self.warnings: list[str] = []

    def progress(self, _progress: CopyProgress) -> None:
        self.told += 1

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class World:
    """A copy that began now, and a watch over it."""

    def __init__(self, *, forced: bool = False) -> None:
        self.clock = HandClock()
        self.halt = Halt()
        self.report = RecordingReport()
        self.looks = 0
        self.daemon_lives = False
        self.progress = CopyProgress("s", "d", "stream", 1_000_000, 1 << 30, self.clock.now(), [])
        self.progress.forced = forced
        self.watch = CopyWatch(self.progress, self._look, self.report, self.halt, self.clock)

    def _look(self) -> None:
        self.looks += 1
        if self.daemon_lives:
            raise StillRunning("alive", "stop it")

    def turn(self, seconds: float) -> None:
        self.clock.turn(seconds)
        self.watch()


def test_warns_at_sixteen_hours_once_an_hour() -> None:
    """The speed says 20 hours in all: one warning, and an hour later another."""
    world = World()
    world.progress.items_per_second = 1_000_000 / (20 * HOUR)
    for _ in range(70):
        world.turn(60)
    assert len(world.report.warnings) == 2
    assert "20.0 h in all" in world.report.warnings[0]


def test_does_not_warn_of_what_is_quick() -> None:
    """15 hours are well within the stream's 24."""
    world = World()
    world.progress.items_per_second = 1_000_000 / (15 * HOUR)
    world.turn(60)
    assert world.report.warnings == []


def test_goes_on_when_forced() -> None:
    """The operator knows that nobody writes to the source."""
    world = World(forced=True)
    world.turn(100 * HOUR)
    assert world.report.warnings == []


def test_stops_when_the_daemon_comes_alive() -> None:
    """The fleet is looked at every five seconds; nothing waits any longer then."""
    world = World()
    for _ in range(9):
        world.turn(1)
    assert (world.looks, world.report.told) == (1, 9)
    world.daemon_lives = True
    with pytest.raises(StillRunning):
        world.turn(1)
    with pytest.raises(Halted):
        world.halt.wait(0)


def test_an_operator_s_stop_ends_it_at_once() -> None:
    """Within a turn, not within a second."""
    world = World()
    world.halt.set()
    with pytest.raises(Halted):
        world.turn(0)
