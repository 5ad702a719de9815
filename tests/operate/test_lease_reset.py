"""Changing KCL's tables: what a reset touches, that it can be undone, that the living are left."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet import lease_changes
from kcl_processor.fleet.leases import BEGIN, LATEST, SHARD_END, TRIM_HORIZON, lease
from kcl_processor.fleet.stream import StreamShard
from kcl_processor.operate import lease_reset
from tests.fakes import HandClock, turning
from tests.kcl_tables import Row, fill, make_task, rows_in, shards_of, snapshot

ROWS, COORDINATOR, WORKERS = snapshot("two-workers")
SHARDS = shards_of(ROWS)
PARENT = next(lease(row) for row in ROWS if lease(row).parents).parents[0]


def key_of(row: Row) -> str:
    """The row's key."""
    return str(row["leaseKey"]["S"])


def left(step: lease_changes.Step) -> Row:
    """The row that a step leaves in the table."""
    assert step.after is not None
    return step.after


def test_a_whole_reset_to_the_horizon_starts_anew() -> None:
    """Every lease row goes, so that KCL makes them again for what the stream still holds."""
    steps = lease_reset.plan_reset(ROWS, SHARDS, None, TRIM_HORIZON)
    assert len(steps) == 8 and all(step.after is None for step in steps)


def test_a_descendant_whose_row_was_cleaned_up_gets_one_again() -> None:
    """KCL removes the row of an ended shard; its images would be skipped, its children's not."""
    line = [
        StreamShard("a", None, open=False),
        StreamShard("b", "a", open=False),
        StreamShard("c", "b", open=True),
    ]
    rows: list[Row] = [
        {"leaseKey": {"S": "a"}, "checkpoint": {"S": SHARD_END}, "leaseCounter": {"N": "5"}},
        {"leaseKey": {"S": "c"}, "checkpoint": {"S": "99"}, "parentShardId": {"SS": ["b"]}},
    ]
    steps = {step.shard: step for step in lease_reset.plan_reset(rows, line, "a", TRIM_HORIZON)}
    assert set(steps) == {"a", "b", "c"} and steps["b"].before == {}
    assert {left(step)["checkpoint"]["S"] for step in steps.values()} == {TRIM_HORIZON}
    assert left(steps["b"])["parentShardId"] == {"SS": ["a"]}


def test_latest_skips_only_what_is_not_ended() -> None:
    """Ended shards stay ended."""
    steps = lease_reset.plan_reset(ROWS, SHARDS, None, LATEST)
    assert len(steps) == 5
    assert {left(step)["checkpoint"]["S"] for step in steps} == {LATEST}


def test_a_shard_takes_its_descendants_with_it() -> None:
    """Else its old images would lie over the newer ones that its children wrote."""
    steps = {step.shard: step for step in lease_reset.plan_reset(ROWS, SHARDS, PARENT, "17")}
    children = {lease(row).shard for row in ROWS if PARENT in lease(row).parents}
    assert children and set(steps) == {PARENT, *children}
    assert left(steps[PARENT])["checkpoint"]["S"] == "17"
    assert {left(steps[child])["checkpoint"]["S"] for child in children} == {TRIM_HORIZON}


@pytest.mark.parametrize(("checkpoint", "begin"), [("5", None), (TRIM_HORIZON, "3")])
def test_only_a_shard_that_was_never_read_keeps_its_begin(
    checkpoint: str, begin: str | None
) -> None:
    """What was read may be trimmed when it is read again; what was not may not, except as asked."""
    rows = [{**row, BEGIN: {"S": "3"}, "checkpoint": {"S": checkpoint}} for row in ROWS]
    plan = lease_reset.plan_reset(rows, SHARDS, PARENT, TRIM_HORIZON)
    steps = {step.shard: step for step in plan}
    assert lease(left(steps.pop(PARENT))).begin is None
    assert {lease(left(step)).begin for step in steps.values()} == {begin}


def test_a_reset_row_has_no_owner_and_a_higher_counter() -> None:
    """No worker that still believes in the lease can renew it."""
    (step,) = lease_reset.plan_reset(ROWS, SHARDS, PARENT[-8:], LATEST)
    assert "leaseOwner" not in left(step) and step.before is not None
    assert lease(left(step)).counter == lease(step.before).counter + 1


@pytest.mark.parametrize("name", ["nothing-like-it", ""])
def test_a_shard_is_named_without_doubt(name: str) -> None:
    """No shard, or more than one, is a mistake."""
    with pytest.raises(ConfigError, match="end"):
        lease_reset.plan_reset(ROWS, SHARDS, name, TRIM_HORIZON)


def test_reset_and_restore_come_back_to_the_same_rows(moto_url: str, tmp_path: Path) -> None:
    """The saved file brings back every row as it was."""
    task = make_task(moto_url)
    client = fill(task, ROWS)
    table = task.kcl.application_name
    before = rows_in(client, table)
    lease_changes.save(tmp_path / "saved.json", task, before)
    lease_changes.apply(client, table, lease_reset.plan_reset(before, SHARDS, PARENT, TRIM_HORIZON))
    lease_changes.apply(
        client, table, lease_reset.plan_reset(rows_in(client, table), SHARDS, None, TRIM_HORIZON)
    )
    assert rows_in(client, table) == []
    saved = lease_changes.load(tmp_path / "saved.json", task)
    lease_changes.apply(client, table, lease_reset.plan_restore(saved, rows_in(client, table)))
    assert sorted(rows_in(client, table), key=key_of) == sorted(before, key=key_of)


def test_a_dead_leaders_lock_is_removed_only_when_told(moto_url: str) -> None:
    """A dry run leaves it; --yes removes it; then there is none."""
    task = make_task(moto_url)
    client = fill(task, ROWS[:1], COORDINATOR, WORKERS)
    clock = HandClock()
    clock.seconds += 200_000_000
    for execute in (False, True):
        found = lease_reset.unlock_leader(client, task, clock, clock.turn, execute=execute)
        assert found is not None and found.owner == "worker-2"
    assert lease_reset.unlock_leader(client, task, clock, clock.turn, execute=True) is None


def test_a_living_leader_keeps_its_lock(moto_url: str) -> None:
    """Its version changes while it is watched."""
    task = make_task(moto_url)
    client = fill(task, ROWS, COORDINATOR)
    clock = HandClock()
    leader = next(row for row in COORDINATOR if row["key"]["S"] == "Leader")
    beat = {**leader, "recordVersionNumber": {"S": "new"}}
    table = f"{task.kcl.application_name}-CoordinatorState"
    wait = turning(clock, lambda: client.put_item(TableName=table, Item=beat))
    with pytest.raises(OperatorError, match="signs of life"):
        lease_reset.unlock_leader(client, task, clock, wait, execute=True)


def test_restore_deletes_what_was_not_there() -> None:
    """A row that KCL made since the reset goes again."""
    (extra, *kept) = ROWS
    steps = lease_reset.plan_restore(kept, ROWS)
    assert [(step.shard, step.after) for step in steps] == [(lease(extra).shard, None)]
    assert lease(extra).checkpoint != SHARD_END
