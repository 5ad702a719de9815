"""Lease rows, as every KCL that matters has written them."""

from __future__ import annotations

import pytest

from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import SHARD_END, lease, read_leases, read_rows, shard_of
from tests.kcl_tables import as_kcl_1, as_single_table, fill, make_task, snapshot


def test_rows_of_a_real_run_are_read_in_full(moto_url: str) -> None:
    """Three tables of KCL 3.1.3: eight leases, the leader, two workers."""
    task = make_task(moto_url)
    client = fill(task, *snapshot("two-workers"))
    rows = read_rows(client, table_names(task))
    assert rows.found and len(rows.leases) == 8 and len(rows.workers) == 2
    assert sum(row.ended for row in rows.leases) == 3
    assert {row.owner for row in rows.leases} == {"worker-1", "worker-2"}
    assert [row.key for row in rows.leases] == sorted(row.key for row in rows.leases)


def test_a_single_table_holds_the_same(moto_url: str) -> None:
    """Rows of other entities are no leases, and are found where they are."""
    separate, single = make_task(moto_url), make_task(moto_url)
    tables = snapshot("two-workers")
    client = fill(separate, *tables)
    fill(single, as_single_table(*tables))
    apart = read_rows(client, table_names(separate))
    together = read_rows(client, table_names(single))
    assert together.leases == apart.leases == read_leases(client, table_names(single))
    assert len(together.workers) == 2 and len(together.coordinator) == 1


def test_rows_of_the_original_library_are_leases_too() -> None:
    """KCL 1.x knew no children and no hash range; the rest is the same."""
    for row in snapshot("two-workers")[0]:
        old, new = lease(as_kcl_1(row)), lease(row)
        assert (old.shard, old.owner, old.checkpoint) == (new.shard, new.owner, new.checkpoint)
        assert (old.counter, old.parents) == (new.counter, new.parents)


def test_no_table_is_not_an_empty_one(moto_url: str) -> None:
    """A task that never ran has no lease table, and that is told apart."""
    task = make_task(moto_url)
    client = fill(make_task(moto_url), [])
    assert not read_rows(client, table_names(task)).found
    assert read_leases(client, table_names(task)) == []


@pytest.mark.parametrize(
    ("key", "shard"),
    [
        ("shardId-0001-ab", "shardId-0001-ab"),
        ("111122223333:table:1700000000:shardId-0001-ab", "shardId-0001-ab"),
    ],
)
def test_a_lease_key_names_its_shard(key: str, shard: str) -> None:
    """With one stream the key is the shard, with many it ends in it."""
    assert shard_of(key) == shard


def test_the_end_of_a_shard_is_no_position() -> None:
    """SHARD_END, and nothing else, says that a shard is read."""
    row = {"leaseKey": {"S": "a"}, "checkpoint": {"S": SHARD_END}}
    assert lease(row).ended
    assert not lease({"leaseKey": {"S": "a"}, "checkpoint": {"S": "17"}}).ended
