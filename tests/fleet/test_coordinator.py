"""Signs of life: what moves, what is fresh, who leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kcl_processor.fleet.coordinator import (
    Leader,
    Life,
    Owners,
    Pulses,
    Worker,
    fresh,
    leader,
    pulses_of,
    renewal_seconds,
    renewing,
    workers,
)
from kcl_processor.fleet.leases import KclRows, lease
from tests.kcl_tables import as_single_table, make_task, snapshot


def rows(name: str = "two-workers") -> KclRows:
    leases, coordinator, stats = snapshot(name)
    return KclRows(
        found=True,
        leases=[lease(item) for item in leases],
        coordinator=[*coordinator],
        workers=[*stats],
    )


def test_the_leader_and_the_workers_of_a_real_run() -> None:
    """The lock names its owner and how long it lasts; each worker has its moment."""
    found = leader(rows())
    assert found is not None
    assert (found.owner, found.lease_seconds) == ("worker-2", 15)
    assert [worker.id for worker in workers(rows())] == ["worker-1", "worker-2"]
    assert all(worker.updated_at > 1_700_000_000 for worker in workers(rows()))


def test_the_leader_of_a_single_table_is_the_same() -> None:
    """KCL 3.5 keys the lock by leaseKey."""
    items = as_single_table(*snapshot("two-workers"))
    single = KclRows(
        found=True,
        leases=[],
        coordinator=[row for row in items if row["entityType"]["S"] == "LEADER"],
        workers=[row for row in items if row["entityType"]["S"] == "WORKER_METRIC_STATS"],
    )
    assert leader(single) == leader(rows()) and workers(single) == workers(rows())


def test_a_worker_s_presence_is_a_sign_of_life_alone() -> None:
    """The launcher's own row of a worker moves before its first lease, and is nobody's lock."""
    row = {
        "key": {"S": "KclProcessorWorker/worker-1"},
        **{name: {"S": "x"} for name in ("version", "place", "host")},
        "generation": {"N": "3"},
    }
    alone = KclRows(found=True, leases=[], coordinator=[row], workers=[])
    assert leader(alone) is None
    assert dict(pulses_of(alone)) == {"worker's row KclProcessorWorker/worker-1": "x"}
    beside = replace(rows(), coordinator=[row, *rows().coordinator])
    assert leader(beside) == leader(rows())


def test_a_released_lock_leads_nobody() -> None:
    """The lock client marks a lock that it lets go of."""
    held = [row for row in rows().coordinator if row["key"]["S"] == "Leader"]
    released = [{**held[0], "isReleased": {"S": "1"}}]

    def rows_with(locks: list[Mapping[str, Mapping[str, Any]]]) -> KclRows:
        return KclRows(found=True, leases=[], coordinator=locks, workers=[])

    assert leader(rows_with([*released])) is None
    assert leader(rows_with([])) is None
    assert isinstance(leader(rows_with(held)), Leader)


def test_a_value_moves_or_stands_still_or_was_not_watched_long_enough() -> None:
    """Three answers, and a change counts for as long as the patience lasts."""
    pulses = Pulses(patience=5)
    assert pulses.moving("a") is None
    for moment, value, moves in [
        (0, 1, None),
        (4, 1, None),
        (5, 1, False),
        (6, 2, True),
        (10, 2, True),
        (11, 2, False),
    ]:
        pulses.read([("a", value)], moment)
        assert pulses.moving("a") is moves
    assert pulses.still("a") == 5


def test_a_worker_is_fresh_for_three_reports_and_a_clocks_difference() -> None:
    """A task that reports less often has more patience."""
    worker = Worker("w", 100.0)
    assert fresh(worker, make_task(), 113) and not fresh(worker, make_task(), 114)
    slow = make_task(properties={"workerMetricsReporterFreqInMillis": "30000"})
    assert fresh(worker, slow, 200)


def test_patience_follows_the_failover_time() -> None:
    """KCL renews a lease three times in a failover time."""
    assert renewal_seconds(make_task()) < 5
    assert renewal_seconds(make_task(properties={"failoverTimeMillis": "60000"})) > 20


def test_every_lease_worker_and_leader_has_a_pulse() -> None:
    """Between two snapshots of a run with one dead worker only the living moves."""
    before, after = dict(pulses_of(rows("two-workers"))), dict(pulses_of(rows("dead-worker")))
    moved = {name for name in after if before.get(name) != after[name]}
    assert "worker worker-1" in moved
    assert len(after) == 8 + 2 + 1


def lives(seen: KclRows, *, watched: float, silent: float) -> set[Life]:
    """The lives of worker-2, whose leases stood still while they were watched.

    Args:
        watched: seconds.
        silent: seconds since its last report.
    """
    task = make_task(properties={"failoverTimeMillis": "10000"})
    pulses = Pulses(renewal_seconds(task))
    for moment in (0, watched):
        pulses.read(pulses_of(seen), moment)
    (reported,) = (worker.updated_at for worker in workers(rows()) if worker.id == "worker-2")
    owners = Owners(seen, pulses, task, reported + silent)
    return {owners.life(row) for row in seen.leases if row.owner == "worker-2" and not row.ended}


def test_an_owner_that_stands_still_is_dying_and_after_a_failover_dead() -> None:
    """Either its leases were watched for so long, or its last report is as old."""
    assert lives(rows(), watched=2, silent=1) == {Life.UNWATCHED}
    assert lives(rows(), watched=5, silent=5) == {Life.DYING}
    assert lives(rows(), watched=10, silent=5) == {Life.DEAD}
    assert lives(rows(), watched=5, silent=12) == {Life.DEAD}


def test_an_owner_that_took_its_report_away_was_stopped() -> None:
    """Seen at once, even where it was alone and nobody reports any more."""
    other, own = rows().workers
    for left in ([other], []):
        gone = replace(rows(), workers=left)
        assert lives(gone, watched=0, silent=0) == {Life.STOPPED}
        assert lives(gone, watched=60, silent=60) == {Life.STOPPED}
    assert lives(replace(rows(), workers=[own]), watched=0, silent=0) == {Life.UNWATCHED}


def test_an_owner_that_renews_is_alive_whatever_it_reports() -> None:
    """Started again, a worker takes its leases up before its first report."""
    task = make_task()
    pulses = Pulses(renewal_seconds(task))
    started = replace(rows(), workers=[])
    for counter in (1, 2):
        moved = [replace(row, counter=counter) for row in started.leases]
        pulses.read(pulses_of(replace(started, leases=moved)), counter)
    owners = Owners(started, pulses, task, 0)
    assert {owners.life(row) for row in started.leases} == {Life.ALIVE}


def said(**figures: int) -> set[str]:
    """The workers that say that they renew, of worker-1, which owns leases and said so much."""
    task, now = make_task(properties={"failoverTimeMillis": "10000"}), 1_700_000_000
    held = sum(row.owner == "worker-1" and not row.ended for row in rows().leases)
    told = {"heldLeases": held, "unrenewedMillis": 3400, "beatAt": 1000 * now - 2600} | figures
    row = {name: {"N": str(value)} for name, value in told.items()}
    presence = {"key": {"S": "KclProcessorWorker/worker-1"}, **row}
    return renewing(replace(rows(), coordinator=[presence]), task, now)


def test_a_worker_that_says_so_renews() -> None:
    """All leases in its name, each in its time, and said within the time of a beat."""
    assert said() == {"worker-1"}
    assert said(heldLeases=1) == set()
    assert said(unrenewedMillis=4900) == set()
    assert said(beatAt=1_700_000_000_000 - 3600) == set()
    # A clock that goes before ours would tell of a dead worker, too.
    assert said(beatAt=1_700_000_000_000 + 1100) == set()
    assert renewing(rows(), make_task(), 0) == set()


def test_who_says_that_it_renews_is_alive_until_it_is_seen_to_stand_still() -> None:
    """What was watched counts more than what was said."""
    task, pulses = make_task(), Pulses(5)
    for moment, life in [(0, Life.ALIVE), (5, Life.DYING)]:
        pulses.read(pulses_of(rows()), moment)
        owners = Owners(rows(), pulses, task, workers(rows())[0].updated_at, {"worker-1"})
        lives = {owners.life(row) for row in rows().leases if row.owner == "worker-1"}
        assert lives == {life}


def test_workers_of_kcl_1_are_dead_when_they_stand_still() -> None:
    """They never report, and so that tells nothing of them."""
    old = replace(rows(), coordinator=[], workers=[])
    assert lives(old, watched=2, silent=0) == {Life.UNWATCHED}
    assert lives(old, watched=5, silent=0) == {Life.DEAD}
