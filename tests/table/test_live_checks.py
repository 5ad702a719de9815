"""Every change since a live copy's begin must be one that the daemon applies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError
from kcl_processor.fleet.leases import LATEST, TRIM_HORIZON
from kcl_processor.fleet.stream import StreamShard
from kcl_processor.launch.copy_mark import CopyMark, replace_mark
from kcl_processor.launch.identity import read_claim, write_claim
from kcl_processor.state.gaps import Gap, note_gap, settle_gap
from kcl_processor.table.live_checks import GapWatch, refuse_gap, refuse_unfollowed, refuse_unplaced
from tests.fakes import HandClock
from tests.kcl_tables import identity, lease_row, make_task
from tests.table.copied import CopyWorld, never_ran
from tests.table.followed import follow

SHARDS = [
    StreamShard("shard-1", None, open=False),
    StreamShard("shard-2", "shard-1", open=True),
    StreamShard("shard-3", None, open=True),
]


def check(task: Task) -> None:
    """What a live copy asks before it begins."""
    clock = HandClock()
    refuse_unfollowed(task, identity(task), clock, clock.turn)


def test_a_daemon_that_was_never_started_is_to_be_started_first(moto_url: str) -> None:
    """It may be down then; its positions are there."""
    task = never_ran(moto_url)
    with pytest.raises(ConfigError, match="No daemon of task") as raised:
        check(task)
    assert f"kcl-processor run {task.name}" in raised.value.hint
    follow(task)
    check(task)


@pytest.mark.parametrize("checkpoint", [LATEST, "AT_TIMESTAMP"])
def test_a_place_that_nobody_has_read_yet_is_none(moto_url: str, checkpoint: str) -> None:
    """What changes before the daemon asks for it would be in neither."""
    task = never_ran(moto_url)
    follow(task, checkpoint)
    with pytest.raises(ConfigError, match=f"no position in . shards?, .* at {checkpoint}") as e:
        check(task)
    assert "leases reset --to trim-horizon" in e.value.hint


def test_a_daemon_on_an_older_stream_is_to_come_to_its_end(moto_url: str) -> None:
    """Its gap is not this copy's."""
    task = replace(never_ran(moto_url), on_gap="continue")
    follow(task)
    claim, ours = read_claim(task), identity(task)
    assert claim and write_claim(task, claim, replace(ours, stream=f"{ours.stream}-earlier"))
    with pytest.raises(ConfigError, match="still reads"):
        check(task)


def test_an_unfinished_plain_copy_is_finished_first(moto_url: str) -> None:
    """Two ways at once would be neither."""
    task = never_ran(moto_url)
    follow(task)
    now = HandClock().now()
    assert replace_mark(task, None, CopyMark.begun("token", now, now, forced=False))
    with pytest.raises(ConfigError, match="is not finished"):
        check(task)


@pytest.mark.parametrize(
    "leased",
    [("shard-1", "shard-3"), ("shard-2", "shard-3"), ("shard-1", "shard-2", "shard-3")],
    ids=" ".join,
)
def test_a_shard_is_somebodys_by_what_it_comes_from(leased: tuple[str, ...]) -> None:
    """A new one is found when its parent ends; an old one's row goes when its children are read."""
    rows = [lease_row(shard, TRIM_HORIZON) for shard in leased]
    refuse_unplaced(make_task(), rows, SHARDS)


def test_a_shard_that_comes_from_nowhere_known_is_waited_for() -> None:
    """As where KCL's leases were made before it was."""
    with pytest.raises(ConfigError, match="does not know shard shard-3"):
        refuse_unplaced(make_task(), [lease_row("shard-1", "SHARD_END")], SHARDS)


def test_what_a_copy_sees_lost_is_told_at_its_end_though_nobody_knows_it_any_more(
    moto_url: str, tmp_path: Path
) -> None:
    """A daemon on another host passes a gap and notes it there; ten minutes lie between looks."""
    world = CopyWorld(never_ran(moto_url))
    follow(world.task)
    files, clock, progress = TaskFiles(world.task, tmp_path), world.clock, world.progress()
    told: list[str] = []
    gaps = GapWatch(files, world.ours, progress, told.append, clock)
    lost = Gap(clock.now() + 10, "shard-1", "7", None, None, "left")
    note_gap(files.gaps, lost)
    gaps.look()
    assert not told, "too early"
    clock.turn(700)
    gaps.look()
    clock.turn(700)
    gaps.look()
    assert len(told) == 1 and "passed 1 gap" in progress.lost
    settle_gap(files.gaps, lost)
    with pytest.raises(GapError, match="passed 1 gap"):
        gaps.refuse()


def test_gaps_since_the_begin_are_told_until_they_are_healed(moto_url: str, tmp_path: Path) -> None:
    """Earlier ones are of no copy that begins now."""
    task = never_ran(moto_url)
    follow(task)
    files, clock = TaskFiles(task, tmp_path), HandClock()
    early = Gap(clock.now() - 10, "shard-1", "5", None, None, "left")
    note_gap(files.gaps, early)
    refuse_gap(files, identity(task), clock.now() - 5, clock)
    late = Gap(clock.now() + 10, "shard-1", "7", None, None, "left")
    note_gap(files.gaps, late)
    with pytest.raises(GapError, match="passed 1 gap") as raised:
        refuse_gap(files, identity(task), clock.now() - 5, clock)
    assert "verify" in raised.value.hint
    settle_gap(files.gaps, late)
    refuse_gap(files, identity(task), clock.now() - 5, clock)
