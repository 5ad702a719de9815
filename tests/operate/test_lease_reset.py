"""Changing KCL's tables: what a reset touches, that it can be undone, that the living are left."""

import pytest

from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet.leases import BEGIN, LATEST, SHARD_END, TRIM_HORIZON, lease, scan
from kcl_processor.operate import lease_reset
from tests.fakes import HandClock
from tests.kcl_tables import as_kcl_1, fill, make_task, snapshot

ROWS, COORDINATOR, WORKERS = snapshot("two-workers")
PARENT = next(lease(row) for row in ROWS if lease(row).parents).parents[0]


def turning(clock, then=lambda: None):
    def wait(seconds):
        clock.turn(seconds)
        then()

    return wait


def test_a_whole_reset_to_the_horizon_starts_anew():
    """Every lease row goes, so that KCL makes them again for what the stream still holds."""
    steps = lease_reset.plan_reset(ROWS, None, TRIM_HORIZON)
    assert len(steps) == 8 and all(step.after is None for step in steps)


def test_latest_skips_only_what_is_not_ended():
    """Ended shards stay ended."""
    steps = lease_reset.plan_reset(ROWS, None, LATEST)
    assert len(steps) == 5
    assert {step.after["checkpoint"]["S"] for step in steps} == {LATEST}


def test_a_shard_takes_its_descendants_with_it():
    """Else its old images would lie over the newer ones that its children wrote."""
    steps = {step.shard: step for step in lease_reset.plan_reset(ROWS, PARENT, "17")}
    children = {lease(row).shard for row in ROWS if PARENT in lease(row).parents}
    assert children and set(steps) == {PARENT, *children}
    assert steps[PARENT].after["checkpoint"]["S"] == "17"
    assert {steps[child].after["checkpoint"]["S"] for child in children} == {TRIM_HORIZON}


@pytest.mark.parametrize(("checkpoint", "begin"), [("5", None), (TRIM_HORIZON, "3")])
def test_only_a_shard_that_was_never_read_keeps_its_begin(checkpoint, begin):
    """What was read may be trimmed when it is read again; what was not may not, except as asked."""
    rows = [{**row, BEGIN: {"S": "3"}, "checkpoint": {"S": checkpoint}} for row in ROWS]
    steps = {step.shard: step for step in lease_reset.plan_reset(rows, PARENT, TRIM_HORIZON)}
    assert lease(steps.pop(PARENT).after).begin is None
    assert {lease(step.after).begin for step in steps.values()} == {begin}


def test_a_reset_row_has_no_owner_and_a_higher_counter():
    """No worker that still believes in the lease can renew it."""
    (step,) = lease_reset.plan_reset(ROWS, PARENT[-8:], LATEST)
    assert "leaseOwner" not in step.after
    assert lease(step.after).counter == lease(step.before).counter + 1


@pytest.mark.parametrize("name", ["nothing-like-it", ""])
def test_a_shard_is_named_without_doubt(name):
    """No shard, or more than one, is a mistake."""
    with pytest.raises(ConfigError, match="end"):
        lease_reset.plan_reset(ROWS, name, TRIM_HORIZON)


def test_reset_and_restore_come_back_to_the_same_rows(moto_url, tmp_path):
    """The saved file brings back every row as it was."""
    task = make_task(moto_url)
    client = fill(task, ROWS)
    table = task.kcl.application_name
    before = scan(client, table)
    lease_reset.save(tmp_path / "saved.json", task, before)
    lease_reset.apply(client, table, lease_reset.plan_reset(before, PARENT, TRIM_HORIZON))
    lease_reset.apply(
        client, table, lease_reset.plan_reset(scan(client, table), None, TRIM_HORIZON)
    )
    assert scan(client, table) == []
    saved = lease_reset.load(tmp_path / "saved.json", task)
    lease_reset.apply(client, table, lease_reset.plan_restore(saved, scan(client, table)))
    key = lambda row: row["leaseKey"]["S"]  # noqa: E731
    assert sorted(scan(client, table), key=key) == sorted(before, key=key)


def test_saved_rows_belong_to_their_task(moto_url, tmp_path):
    """Another task's rows are refused, and so is a file that is there already."""
    lease_reset.save(tmp_path / "saved.json", make_task(), ROWS)
    with pytest.raises(ConfigError, match="holds rows of"):
        lease_reset.load(tmp_path / "saved.json", make_task())
    with pytest.raises(ConfigError, match="cannot be written"):
        lease_reset.save(tmp_path / "saved.json", make_task(), ROWS)


def test_a_row_that_changed_is_left_alone(moto_url):
    """A counter that grew since it was read refuses the write."""
    task = make_task(moto_url)
    client = fill(task, ROWS)
    steps = lease_reset.plan_reset(ROWS, None, TRIM_HORIZON)
    renewed = {**ROWS[0], "leaseCounter": {"N": "999"}}
    client.put_item(TableName=task.kcl.application_name, Item=renewed)
    with pytest.raises(OperatorError, match="ConditionalCheckFailed"):
        lease_reset.apply(client, task.kcl.application_name, steps)


@pytest.mark.parametrize("what", ["lease", "worker", "leader"])
def test_whatever_moves_is_a_worker(moto_url, what):
    """A counter, a worker's report, or the leader's lock: each alone refuses a reset."""
    task = make_task(moto_url)
    client = fill(task, ROWS, COORDINATOR, WORKERS)
    clock = HandClock()
    names = (task.kcl.application_name, "-CoordinatorState", "-WorkerMetricStats")
    leader = next(row for row in COORDINATOR if row["key"]["S"] == "Leader")
    table, item = {
        "lease": (names[0], {**ROWS[0], "leaseCounter": {"N": "999"}}),
        "worker": (names[0] + names[2], {**WORKERS[0], "lut": {"N": "1"}}),
        "leader": (names[0] + names[1], {**leader, "recordVersionNumber": {"S": "new"}}),
    }[what]
    wait = turning(clock, lambda: client.put_item(TableName=table, Item=item))
    with pytest.raises(OperatorError, match="is running"):
        lease_reset.refuse_if_alive(client, task, clock, wait)


def test_the_dead_are_found_dead_after_their_time(moto_url):
    """A few seconds for KCL 3, longer for KCL 1.x, whose workers renew every 20 s."""
    new, old = make_task(moto_url), make_task(moto_url)
    clock = HandClock()
    client = fill(new, ROWS, COORDINATOR, WORKERS)
    fill(old, [as_kcl_1(row) for row in ROWS])
    began = clock.elapsed()
    lease_reset.refuse_if_alive(client, new, clock, turning(clock))
    assert clock.elapsed() - began < 10
    began = clock.elapsed()
    lease_reset.refuse_if_alive(client, old, clock, turning(clock))
    assert clock.elapsed() - began > 20


def test_a_dead_leaders_lock_is_removed_only_when_told(moto_url):
    """A dry run leaves it; --yes removes it; then there is none."""
    task = make_task(moto_url)
    client = fill(task, ROWS, COORDINATOR, WORKERS)
    clock = HandClock()
    clock.seconds += 200_000_000
    for execute in (False, True):
        found = lease_reset.unlock_leader(client, task, clock, turning(clock), execute)
        assert found.owner == "worker-2"
    assert lease_reset.unlock_leader(client, task, clock, turning(clock), True) is None


def test_a_living_leader_keeps_its_lock(moto_url):
    """Its version changes while it is watched."""
    task = make_task(moto_url)
    client = fill(task, ROWS, COORDINATOR)
    clock = HandClock()
    leader = next(row for row in COORDINATOR if row["key"]["S"] == "Leader")
    beat = {**leader, "recordVersionNumber": {"S": "new"}}
    table = f"{task.kcl.application_name}-CoordinatorState"
    wait = turning(clock, lambda: client.put_item(TableName=table, Item=beat))
    with pytest.raises(OperatorError, match="signs of life"):
        lease_reset.unlock_leader(client, task, clock, wait, True)


def test_restore_deletes_what_was_not_there():
    """A row that KCL made since the reset goes again."""
    (extra, *kept) = ROWS
    steps = lease_reset.plan_restore(kept, ROWS)
    assert [(step.shard, step.after) for step in steps] == [(lease(extra).shard, None)]
    assert lease(extra).checkpoint != SHARD_END
