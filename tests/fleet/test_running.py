"""Whether a task's daemon is alive anywhere, told by what moves in KCL's tables."""

from __future__ import annotations

import pytest

from kcl_processor.fleet.running import (
    StillRunning,
    has_leases,
    refuse_moved,
    refuse_running,
    signs_of_life,
)
from tests.fakes import HandClock, turning
from tests.kcl_tables import as_kcl_1, fill, make_task, snapshot

ROWS, COORDINATOR, WORKERS = snapshot("two-workers")


@pytest.mark.parametrize("what", ["lease", "worker", "leader"])
def test_whatever_moves_is_a_worker(moto_url: str, what: str) -> None:
    """A counter, a worker's report, or the leader's lock: each alone is a sign of life."""
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
    with pytest.raises(StillRunning, match=f"{what} .*moved while watched"):
        refuse_running(task, clock, wait)


def test_the_dead_are_found_dead_after_their_time(moto_url: str) -> None:
    """A failover for KCL 3, stopped or not; longer for KCL 1.x, whose workers renew every 20 s."""
    new, stopped, old = (make_task(moto_url) for _ in range(3))
    clock = HandClock()
    fill(new, ROWS[:1], COORDINATOR, WORKERS)
    fill(old, [as_kcl_1(ROWS[0])])
    began = clock.elapsed()
    refuse_running(new, clock, clock.turn)
    assert 10 <= clock.elapsed() - began < 15
    fill(stopped, ROWS[:1], COORDINATOR)
    began = clock.elapsed()
    refuse_running(stopped, clock, clock.turn)
    assert 10 <= clock.elapsed() - began < 15
    began = clock.elapsed()
    refuse_running(old, clock, clock.turn)
    assert clock.elapsed() - began > 20


def test_a_task_that_never_ran_is_not_waited_for(moto_url: str) -> None:
    """Without a row in KCL's tables there is nobody to watch; with one, a start is no secret."""
    task, clock = make_task(moto_url), HandClock()
    began = clock.elapsed()
    before = refuse_running(task, clock, clock.turn)
    assert clock.elapsed() == began and before == {} and not has_leases(task)
    fill(task, ROWS)
    assert has_leases(task) and signs_of_life(task)
    with pytest.raises(StillRunning):
        refuse_moved(task, before)
