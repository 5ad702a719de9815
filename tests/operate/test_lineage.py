"""Leases and shards joined: states, order, the tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kcl_processor.fleet.coordinator import Life
from kcl_processor.fleet.leases import SHARD_END, Lease
from kcl_processor.fleet.stream import Look, StreamShard
from kcl_processor.operate.lineage import (
    STATES,
    all_followed,
    join,
    parents_of,
    read_here,
    tree,
    unfinished,
    unleased,
)
from tests.kcl_tables import lease_row
from tests.sights import beat

NOW = 1_700_000_000.0


def state(
    rows: list[Lease],
    shards: Sequence[StreamShard] = (),
    looks: dict[str, Look] | None = None,
    life: Life = Life.ALIVE,
) -> dict[str, str]:
    views = join(rows, shards, looks or {}, lambda _: life, NOW)
    return {view.shard: view.state for view in views}


def test_a_shard_is_in_the_first_state_that_fits() -> None:
    """Each state of the table of states is reached, and by what it says."""
    rows = [
        lease_row("a", SHARD_END),
        lease_row("b", parents=["a"]),
        lease_row("c", parents=["b"]),
        lease_row("d", owner=None),
        replace(lease_row("e", owner=None), counter=0),
        lease_row("g"),
    ]
    shards = [StreamShard("u", None, open=True), StreamShard("v", "b", open=True)]
    seen = state(rows, shards, {"g": Look(trimmed=True)})
    assert seen == {
        "a": "ended",
        "b": "active",
        "c": "waiting",
        "d": "handed-over",
        "e": "orphan",
        "g": "gap",
        "u": "unleased",
        "v": "waiting",
    }
    owners = {life: state([lease_row("s")], life=life)["s"] for life in Life}
    assert owners == {
        Life.ALIVE: "active",
        Life.UNWATCHED: "owned",
        Life.STOPPED: "stopped",
        Life.DYING: "dying",
        Life.DEAD: "dead",
    }
    assert {*seen.values(), *owners.values()} == set(STATES)


def test_a_parent_whose_lease_was_cleaned_up_is_ended() -> None:
    """KCL removes ended leases; the stream still lists their shards."""
    shards = [StreamShard("a", None, open=False), StreamShard("b", "a", open=True)]
    assert state([lease_row("b", parents=["a"])], shards) == {"a": "ended", "b": "active"}


def test_a_shard_that_was_never_checkpointed_can_have_a_gap() -> None:
    """Its beginning may have left the stream, or all of it."""
    assert state([lease_row("a", "TRIM_HORIZON")], looks={"a": Look(trimmed=True)}) == {"a": "gap"}


def test_only_due_shards_are_looked_into() -> None:
    """Ended and waiting shards hold nothing older than what is being read."""
    rows = [lease_row("a", SHARD_END), lease_row("b", parents=["a"]), lease_row("c", parents=["b"])]
    assert unfinished(rows) == [rows[1]]


def test_lag_counts_from_the_oldest_unread_change() -> None:
    """The stream keeps it for what is left of 24 hours; all read is no lag at all."""
    looks = {"a": Look(applied_at=NOW - 70, unread_at=NOW - 60), "b": Look(applied_at=NOW - 7)}
    views = join([lease_row("a"), lease_row("b")], [], looks, lambda _: Life.ALIVE, NOW)
    assert [(v.lag, v.age, v.trims_in) for v in views] == [(60, 70, 86_340), (None, 7, None)]


def test_parents_are_those_of_the_leases_and_of_the_stream() -> None:
    """KCL removes the lease of an ended shard, and the stream drops the shard itself."""
    rows = [lease_row("c", parents=["a", "b"]), lease_row("d")]
    shards = [StreamShard("d", "c", open=False), StreamShard("e", "d", open=True)]
    assert parents_of(rows, shards) == {"c": {"a", "b"}, "d": {"c"}, "e": {"d"}}


def test_every_shard_stands_once_in_the_tree() -> None:
    """A shard with two parents hangs below one of them."""
    rows = [
        lease_row("a", SHARD_END),
        lease_row("b", SHARD_END),
        lease_row("c", parents=["a", "b"]),
    ]
    views = join(rows, [], {}, lambda _: Life.ALIVE, NOW)
    assert [(branch, view.shard) for branch, view in tree(views)] == [
        ("", "a"),
        ("└─ ", "c"),
        ("", "b"),
    ]


def test_only_a_shard_whose_children_all_have_leases_needs_no_asking() -> None:
    """And only with every older one: ids begin with the time of creation."""
    rows = [
        replace(lease_row("1", SHARD_END), children=("3", "4")),
        replace(lease_row("2", SHARD_END), children=("5",)),
        lease_row("3"),
        lease_row("4"),
        lease_row("5"),
    ]
    assert all_followed(rows) == "2"
    assert all_followed(rows[:-1]) == "1"
    assert all_followed([rows[0], rows[1], rows[2], rows[4]]) is None
    assert all_followed([lease_row("0"), *rows]) is None
    # KCL 1.x writes no children.
    assert all_followed([lease_row("0", SHARD_END), *rows]) is None
    assert all_followed([]) is None


def test_a_shard_is_read_here_if_its_owner_has_just_read_all_of_it() -> None:
    """Late, behind, without a checkpoint, of another worker, of an earlier version: it is not."""
    fine = {
        "polled_at": NOW - 10,
        "behind_ms": 2000,
        "created_ms": 1_699_999_000_000,
        "unrecorded": 5.0,
    }
    lease = lease_row("s")
    assert read_here(lease, beat("s", **fine), NOW) == Look(applied_at=1_699_999_000.0)
    for other in (
        {"polled_at": NOW - 16},
        {"polled_at": None},
        {"behind_ms": 16_000},
        {"behind_ms": None},
        {"created_ms": None},
        {"unrecorded": 16.0},
        {"unrecorded": None},
        {"worker": "another"},
    ):
        assert read_here(lease, beat("s", **(fine | other)), NOW) is None
    assert read_here(lease, None, NOW) is None


def test_what_has_no_lease_yet_is_told_from_what_waits_or_was_read() -> None:
    """A parent whose lease was cleaned up was read; a child of one that is being read waits."""
    shards = [StreamShard(name, parent, open=True) for name, parent in
              (("a", None), ("b", "a"), ("c", "b"), ("d", None), ("e", "d"))]  # fmt: skip
    assert [shard.id for shard in unleased([lease_row("b")], shards)] == ["d", "e"]
    assert [shard.id for shard in unleased([], shards)] == ["a", "b", "c", "d", "e"]
