"""Leases and shards joined: states, order, the tree; and the golden files of both tables."""

import argparse
from dataclasses import replace

import pytest

from kcl_processor.cli import leases as command
from kcl_processor.cli.output import table_lines
from kcl_processor.fleet.leases import SHARD_END, Lease, lease
from kcl_processor.fleet.stream import Look, StreamShard
from kcl_processor.operate.lineage import STATES, join, tree, unfinished
from tests.kcl_tables import GOLDEN, shards_of, snapshot

NOW = 1_700_000_000.0


def row(shard, checkpoint="5", owner="w", parents=()):
    return Lease(shard, shard, owner, checkpoint, 1, 0, tuple(parents))


def state(rows, shards=(), looks=None, moves=True):
    views = join(rows, shards, looks or {}, lambda _: moves, NOW)
    return {view.shard: view.state for view in views}


def test_a_shard_is_in_the_first_state_that_fits():
    """Each state of the table of states is reached, and by what it says."""
    rows = [
        row("a", SHARD_END),
        row("b", parents=["a"]),
        row("c", parents=["b"]),
        row("d", owner=None),
        row("g"),
    ]
    shards = [StreamShard("u", None, True), StreamShard("v", "b", True)]
    seen = state(rows, shards, {"g": Look(trimmed=True)})
    assert seen == {
        "a": "ended",
        "b": "active",
        "c": "waiting",
        "d": "orphan",
        "g": "gap",
        "u": "unleased",
        "v": "waiting",
    }
    assert state([row("s")], moves=False) == {"s": "stale"}
    assert {*seen.values(), "stale"} == set(STATES)


def test_a_parent_whose_lease_was_cleaned_up_is_ended():
    """KCL removes ended leases; the stream still lists their shards."""
    shards = [StreamShard("a", None, False), StreamShard("b", "a", True)]
    assert state([row("b", parents=["a"])], shards) == {"a": "ended", "b": "active"}


def test_a_shard_that_was_never_checkpointed_can_have_a_gap():
    """Its beginning may have left the stream, or all of it."""
    assert state([row("a", "TRIM_HORIZON")], looks={"a": Look(trimmed=True)}) == {"a": "gap"}


def test_only_due_shards_are_looked_into():
    """Ended and waiting shards hold nothing older than what is being read."""
    rows = [row("a", SHARD_END), row("b", parents=["a"]), row("c", parents=["b"])]
    assert unfinished(rows) == [rows[1]]


def test_lag_counts_from_the_oldest_unread_change():
    """The stream keeps it for what is left of 24 hours; all read is no lag at all."""
    looks = {"a": Look(applied_at=NOW - 70, unread_at=NOW - 60), "b": Look(applied_at=NOW - 7)}
    views = join([row("a"), row("b")], [], looks, lambda _: True, NOW)
    assert [(v.lag, v.age, v.trims_in) for v in views] == [(60, 70, 86_340), (None, 7, None)]


def test_every_shard_stands_once_in_the_tree():
    """A shard with two parents hangs below one of them."""
    rows = [row("a", SHARD_END), row("b", SHARD_END), row("c", parents=["a", "b"])]
    views = join(rows, [], {}, lambda _: True, NOW)
    assert [(branch, view.shard) for branch, view in tree(views)] == [
        ("", "a"),
        ("└─ ", "c"),
        ("", "b"),
    ]


@pytest.mark.parametrize("name", ["two-workers", "dead-worker"])
@pytest.mark.parametrize("as_tree", [False, True])
def test_the_tables_of_a_real_run_look_as_kept(name, as_tree):
    """Golden files: what `leases` prints of rows that KCL wrote."""
    items = snapshot(name)[0]
    rows = [lease(item) for item in items]
    dead = {"worker-2"} if name == "dead-worker" else set()
    looks = {row.shard: Look(applied_at=NOW - 8.3, unread_at=NOW - 3.2) for row in unfinished(rows)}
    views = join(rows, shards_of(items), looks, lambda one: one.owner not in dead, NOW)
    printed = table_lines(command.rows(views, as_tree, wide=False), command._COLUMNS)
    kept = GOLDEN / f"leases-{name}{'-tree' if as_tree else ''}.txt"
    assert kept.read_text().splitlines() == printed


def test_owner_and_open_choose_shards():
    """Filters leave out what they say, and nothing else."""
    views = join([row("a", SHARD_END), row("b")], [StreamShard("b", "a", True)], {}, bool, NOW)
    every = argparse.Namespace(owner=None, open=False)
    only = argparse.Namespace(owner="w", open=True)
    assert [view.shard for view in views if command._wanted(view, every)] == ["a", "b"]
    assert [view.shard for view in views if command._wanted(view, only)] == ["b"]
    other = replace(views[1], owner="x")
    assert not command._wanted(other, only)
