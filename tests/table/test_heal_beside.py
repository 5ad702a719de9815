"""Gaps healed beside a daemon, as they are noted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import OperatorError, SourceError
from kcl_processor.state.gaps import Gap, note_gap, open_gaps, settle_gap
from kcl_processor.table.heal import Healing
from kcl_processor.table.heal_beside import Paused, heal_beside
from kcl_processor.table.held_row import PartTaken
from kcl_processor.table.pace import Halt, Halted
from tests.fakes import HandClock
from tests.kcl_tables import make_task

HOUR = 3600.0


def gap(shard: str) -> Gap:
    return Gap(1.7e9, shard, "5", "2023-11-14T20:00:00Z", "2023-11-14T21:00:00Z", "trimmed")


class World(Halt):
    """A host's gaps, a clock that waiting turns, and what happens at which time of it.

    Attributes:
        heals: settles gaps of these shards; others stay open.
        raises: what healing fails with instead.
        exports_fail: whether others stay open because their exports fail.
        tried: when it was healed, in seconds.
        step: seconds that a wait takes at least.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.files = TaskFiles(make_task(), folder)
        self.clock = HandClock()
        self.began = self.clock.elapsed()
        self.events: list[tuple[float, Callable[[], object]]] = []
        self.heals = {"a", "b"}
        self.raises: OperatorError | None = None
        self.exports_fail = False
        self.tried: list[float] = []
        self.told: list[str] = []
        self.step = 0.0

    @property
    def now(self) -> float:
        return self.clock.elapsed() - self.began

    def at(self, when: float, event: Callable[[], object]) -> None:
        self.events.append((when, event))

    def note(self, shard: str) -> None:
        note_gap(self.files.gaps, gap(shard))

    def wait(self, seconds: float) -> None:
        super().wait(0)
        self.clock.turn(max(seconds, self.step))
        for event in [event for event in self.events if event[0] <= self.now]:
            self.events.remove(event)
            event[1]()

    def heal(self) -> list[Healing]:
        self.tried.append(self.now)
        if self.raises:
            raise self.raises
        healings = [Healing(one) for one in open_gaps(self.files.gaps)]
        for healing in healings:
            if healing.gap.shard in self.heals:
                settle_gap(self.files.gaps, healing.gap)
            else:
                healing.open = "recovery is off"
                healing.export_failed = self.exports_fail
        return healings

    def run(self, seconds: float) -> None:
        self.at(seconds, self.set)
        with pytest.raises(Halted):
            heal_beside(self.files, self.heal, "type this", self.told.append, self, self.clock)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_gap_is_healed_when_it_is_noted(world: World) -> None:
    """Within seconds, and once; without one nothing is done."""
    world.at(100, lambda: world.note("a"))
    world.at(200, lambda: world.note("b"))
    world.run(HOUR)
    assert world.tried == [100, 200]
    assert open_gaps(world.files.gaps) == []
    assert [line.split(":")[0] for line in world.told] == [
        "The gap of shard a is healed",
        "The gap of shard b is healed",
    ]


def test_a_gap_of_before_a_restart_is_healed(world: World) -> None:
    """At once."""
    world.note("a")
    world.run(60)
    assert world.tried == [0] and open_gaps(world.files.gaps) == []


def test_what_cannot_be_healed_stays_noted_and_is_told(world: World) -> None:
    """With what to type; tried again while AWS makes no other export for it, and no longer."""
    world.note("c")
    world.step = 300.0
    world.run(24 * HOUR)
    assert [gap.shard for gap in open_gaps(world.files.gaps)] == ["c"]
    assert 10 < len(world.tried) < 16 and world.tried[-1] < 8 * HOUR
    assert world.told[0] == "The gap of shard c is open still: recovery is off. Try: type this"


def test_another_gap_is_healed_beside_one_that_stays(world: World) -> None:
    """However long ago that was."""
    world.note("c")
    world.step = 300.0
    world.at(20 * HOUR, lambda: world.note("a"))
    world.run(20 * HOUR + 60)
    assert world.tried[-1] == 20 * HOUR
    assert [gap.shard for gap in open_gaps(world.files.gaps)] == ["c"]


@pytest.mark.parametrize("tries", [1, 14])
def test_a_gap_that_is_noted_while_another_is_healed_is_healed_next(
    world: World, tries: int
) -> None:
    """A fleet's shards note theirs one by one, and healing takes a quarter of an hour: be it the
    last time that one which stays is tried."""
    heal = world.heal

    def meanwhile() -> list[Healing]:
        healings = heal()
        if len(world.tried) == tries:
            world.clock.turn(900)
            world.note("a")
        return healings

    world.heal = meanwhile  # type: ignore[method-assign]
    world.note("c")
    world.step = 300.0
    world.run(24 * HOUR)
    assert [gap.shard for gap in open_gaps(world.files.gaps)] == ["c"]
    assert world.tried[tries] - world.tried[tries - 1] == 1200


def test_what_fails_is_tried_again(world: World) -> None:
    """It is told; the gap stays open until it is healed."""
    world.note("a")
    world.raises = SourceError("The export failed.", "mend the cause")

    def mended() -> None:
        assert len(open_gaps(world.files.gaps)) == 1
        world.raises = None

    world.at(HOUR, mended)
    world.run(2 * HOUR)
    assert world.told[0] == "No gap is healed: The export failed. Try: mend the cause"
    assert len(world.tried) == 3 and open_gaps(world.files.gaps) == []


def test_what_an_export_fails_for_is_tried_again_on_the_next_day(world: World) -> None:
    """The cause may be mended at any time; how often AWS is asked is seen to elsewhere."""
    world.exports_fail = True
    world.note("c")
    world.step = 300.0
    world.at(23 * HOUR, lambda: setattr(world, "exports_fail", False))
    world.at(23 * HOUR, lambda: world.heals.add("c"))
    world.run(24 * HOUR)
    assert world.tried[-1] >= 23 * HOUR and open_gaps(world.files.gaps) == []


def test_gap_after_gap_whose_exports_fail_asks_for_no_more_of_them(world: World) -> None:
    """Each time they are of another span, for spans that meet are one."""
    world.exports_fail = True
    for number in range(24):
        world.at(number * 300.0, partial(world.note, f"c{number}"))
    world.step = 60.0
    world.run(2 * HOUR)
    assert len(world.tried) == 8


@pytest.mark.parametrize("why", [PartTaken, Paused])
def test_while_another_host_heals_or_somebody_pauses_it_is_waited_for(
    world: World, why: type[OperatorError]
) -> None:
    """Without a word."""
    world.note("a")
    world.raises = why("A gap is being healed on another.", "later")
    world.at(300, lambda: setattr(world, "raises", None))
    world.run(HOUR)
    assert len(world.tried) == 6 and open_gaps(world.files.gaps) == []
    assert len(world.told) == 1


def test_gap_after_gap_takes_no_more_exports_than_that(world: World) -> None:
    """A shard that is slower for good than what the stream keeps notes one every few minutes."""
    for number in range(72):
        world.heals.add(f"a{number}")
        world.at(number * 1200.0, partial(world.note, f"a{number}"))
    world.step = 300.0
    world.run(24 * HOUR)
    assert len(world.tried) == 24
    assert all(
        later - first >= 8 * HOUR
        for first, later in zip(world.tried, world.tried[8:], strict=False)
    )
    assert sum(line.endswith("Try: type this") for line in world.told) == 17


def test_what_takes_no_exports_is_not_counted(world: World) -> None:
    """Where nothing can be exported each gap is told when it is noted."""
    for number in range(12):
        world.at(number * 100.0, partial(world.note, f"c{number}"))
    world.run(HOUR)
    assert len(world.tried) >= 12
