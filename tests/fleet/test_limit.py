"""What an operator has limited stands in one row beside KCL's state."""

from __future__ import annotations

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import read_rows
from kcl_processor.fleet.limit import KEY, Limit, limit, limit_of, read_limit, unlimit
from kcl_processor.fleet.own_rows import enter_own, read_own

MORNING = 1_764_370_800.0


def test_a_limit_lasts_until_it_is_ended(task: Task) -> None:
    """Who reads all of KCL's rows sees the same; the last one counts."""
    assert read_limit(task) is None
    limit(task, Limit(50.0, "root@a", MORNING))
    limit(task, Limit(12.5, "ops@b", MORNING))
    found = read_limit(task)
    assert found == Limit(12.5, "ops@b", MORNING)
    assert str(found) == "limited to 12.5 WCU/s by ops@b since 2025-11-28T23:00:00Z"
    assert limit_of(read_rows(clients.checkpoints(task), table_names(task))) == found
    unlimit(task)
    assert read_own(task, KEY) is None and read_limit(task) is None
    unlimit(task)


def test_another_limit_leaves_the_shares_and_is_seen_by_who_writes_them(task: Task) -> None:
    """Shares are parts of whatever the limit is; a worker writes on the version that it read."""
    limit(task, Limit(50.0, "root@a", MORNING))
    before = read_own(task, KEY) or {}
    for worker, waiting in (("a", 1), ("b", 2)):
        share = {"M": {"parts": {"N": "500000"}, "waiting": {"N": str(waiting)}}}
        enter_own(task, KEY, f"share/{worker}", share)
    limit(task, Limit(20.0, "root@a", MORNING))
    after = read_own(task, KEY) or {}
    assert after["version"] != before["version"] and "share/a" in after
    assert str(read_limit(task)).endswith("; 3 shards wait for it")


def test_one_that_was_written_by_hand_is_told(task: Task) -> None:
    """Whatever it says; the workers refuse what is no number."""
    enter_own(task, KEY, "limit", {"S": "fifty"})
    assert read_limit(task) == Limit(0.0, "?", 0.0)
