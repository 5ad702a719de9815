"""A proof beside the checkpoints: whose it is, how it stands, and when it is void."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.task import TTL_DELETES, Task
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.launch.proof import (
    KEY,
    ProofMark,
    Replica,
    adopt_proof,
    begin_round,
    note_whole,
    read_proof,
    read_proof_parts,
    read_standing,
    replica_of,
    settle_in_mark,
    stand,
)
from kcl_processor.launch.proof_part import Open, PartProof, encode, part_key
from kcl_processor.transform.rules import Rules
from tests.kcl_tables import fill, make_source_and_destination, make_task


@pytest.fixture
def task(moto_url: str) -> Task:
    """A task whose tables are there."""
    task = make_task(moto_url)
    make_source_and_destination(task)
    fill(task, [])
    return task


def mark(**options: float | Open) -> ProofMark:
    """A proof of two parts."""
    nothing: Replica = None  # type: ignore[assignment]
    return replace(ProofMark("token", nothing, parts=2, segments=8), **options)  # type: ignore[arg-type]


def part(proven: float, compared: float | None = None, *known: str) -> PartProof:
    """A part that was compared, and took ten seconds."""
    at = proven if compared is None else compared
    return PartProof(
        "token",
        0,
        2,
        8,
        began_at=at,
        compared_at=at,
        ended_at=at + 10,
        proven_at=proven,
        open=Open(list(known)),
        finished_at=at + 10,
    )


def test_the_oldest_part_is_the_proofs_age() -> None:
    """A part that was never proven leaves it without one."""
    standing = stand(mark(), [part(100), part(70)])
    assert (standing.proven_at, standing.age(100.0), standing.differences) == (70, 30.0, 0)
    assert stand(mark(), [part(100), None]).proven_at is None
    assert stand(mark(), [part(100), part(0, 100, "a")]).age(1.0) is None


def test_a_whole_run_that_ends_equal_proves_all_parts() -> None:
    """What parts had left open before it began is equal; what they left later is not."""
    whole = mark(whole_at=200.0, checked_at=200.0)
    earlier, later = part(100, 150, "a"), part(100, 250, "b")
    assert stand(whole, [earlier, None]).proven_at == 200
    assert stand(whole, [earlier, None]).differences == 0
    assert stand(whole, [earlier, later]).differences == 1
    # It began before the whole run, and ended after that had begun.
    assert stand(whole, [replace(earlier, ended_at=201.0), None]).differences == 1


def test_what_a_whole_run_has_found_is_open_until_each_part_was_compared_since() -> None:
    """A key that both have found is one."""
    whole = mark(checked_at=200.0, open=Open(["a", "b"], unsure=1))
    standing = stand(whole, [part(100, 250, "a"), part(100)])
    assert (standing.differences, standing.unsure, standing.proven_at) == (2, 1, 100)
    assert stand(whole, [part(250), part(300)]).differences == 0
    assert stand(replace(whole, parts=0), []).differences == 2


def test_what_a_comparison_under_way_has_found_counts_at_once() -> None:
    """And what the last one has left counts until it has ended."""
    under_way = replace(part(100, 150, "a"), found=Open(["b"]), finished_at=None)
    assert stand(mark(), [under_way, part(100)]).differences == 2


def test_a_proof_is_adopted_by_every_host_and_cut_once(task: Task) -> None:
    """Whole runs that were before count on."""
    ours = replica_of(task)
    assert read_standing(task) is None
    note_whole(task, ours, 50.0, Open())
    standing = read_standing(task)
    assert standing and (standing.parts, standing.proven_at) == (0, 50.0)
    first = adopt_proof(task, ours, lambda: (2, 8), 60.0)
    second = adopt_proof(task, ours, lambda: (3, 9), 70.0)
    assert first == second and (first.parts, first.round_at, first.whole_at) == (2, 60.0, 50.0)
    assert begin_round(task, first, 80.0)
    assert not begin_round(task, first, 90.0), "another process was faster"
    found = read_proof(task)
    assert found and found.round_at == 80.0


def test_keys_that_settle_prove_what_a_whole_run_has_found(task: Task) -> None:
    """All of them, as of that run."""
    note_whole(task, replica_of(task), 50.0, Open(["a", "b"]))
    for settled, proven_at in (({"a"}, None), ({"b"}, 50.0)):
        found = read_proof(task)
        assert found
        settle_in_mark(task, found, settled)
        standing = read_standing(task)
        assert standing and standing.proven_at == proven_at


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_proof_of_a_table_that_was_made_anew_is_void(task: Task, side: str) -> None:
    """Another proof takes its place, and its parts are forgotten."""
    ours = replica_of(task)
    before = adopt_proof(task, ours, lambda: (2, 8), 60.0)
    for number in range(2):
        old = PartProof(before.token, number, 2, 8, proven_at=70.0)
        row: Row = {"token": {"S": before.token}, "progress": {"B": zlib.compress(encode(old))}}
        assert replace_own(task, part_key(number, 2), None, row)
    standing = read_standing(task)
    assert standing and standing.proven_at == 70.0
    table = getattr(task, side)
    client = clients.tables(table)
    client.delete_table(TableName=table.table)
    client.create_table(
        TableName=table.table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    void = read_standing(task)
    assert void and void.void == f"the {side} table is another one"
    assert void.age(1e10) is None
    after = adopt_proof(task, replica_of(task), lambda: (2, 8), 90.0)
    assert after.token != before.token
    assert read_proof_parts(task, after) == [(None, None)] * 2
    standing = read_standing(task)
    assert standing and (standing.proven_at, standing.void) == (None, "")


def test_a_proof_by_other_rules_is_void(task: Task) -> None:
    """Items are laid otherwise now."""
    note_whole(task, replica_of(task), 50.0, Open())
    ruled = replace(task, rules=Rules(exclude=("secret",)))
    void = read_standing(ruled)
    assert void and void.void == "the rules are others"
    note_whole(ruled, replica_of(ruled), 60.0, Open())
    standing = read_standing(ruled)
    assert standing and standing.proven_at == 60.0
    void = read_standing(task)
    assert void and void.void == "the rules are others"


@pytest.mark.parametrize("before", TTL_DELETES)
def test_a_proof_that_took_other_tables_for_equal_is_void(task: Task, before: str) -> None:
    """What ``ttl_deletes`` keeps at the destination alone is a difference without it."""
    (after,) = set(TTL_DELETES) - {before}
    was, now = replace(task, ttl_deletes=before), replace(task, ttl_deletes=after)
    note_whole(was, replica_of(was), 50.0, Open())
    standing, void = read_standing(was), read_standing(now)
    assert standing and standing.proven_at == 50.0
    assert void and (void.proven_at, void.void) == (None, "ttl_deletes is another")


@pytest.mark.parametrize(("first", "second"), [(50.0, 60.0), (60.0, 50.0)])
def test_of_two_whole_runs_the_one_that_began_later_tells_what_differs(
    task: Task, first: float, second: float
) -> None:
    """In whatever order they end; the other's proof, if it is one, is as old as its beginning."""
    ours = replica_of(task)
    found = {50.0: Open(), 60.0: Open(["a"])}
    for began_at in (first, second):
        note_whole(task, ours, began_at, found[began_at])
    standing = read_standing(task)
    assert standing and (standing.differences, standing.proven_at) == (1, 50.0)


def test_what_an_older_run_has_found_is_gone_for_a_younger_one(task: Task) -> None:
    """It ends later, and saw what has been mended since."""
    note_whole(task, replica_of(task), 60.0, Open())
    note_whole(task, replica_of(task), 50.0, Open(["a"]))
    standing = read_standing(task)
    assert standing and (standing.differences, standing.proven_at) == (0, 60.0)


def test_a_proof_of_another_version_is_told_as_such(task: Task) -> None:
    """It is neither counted nor written over."""
    client = clients.checkpoints(task)
    row = {"key": {"S": KEY}, "proof": {"S": '{"token": "t", "shape": 7}'}}
    client.put_item(TableName=table_names(task).coordinator, Item=row)
    for ask in (read_proof, read_standing):
        with pytest.raises(ConfigError, match="The proof beside the checkpoints cannot be read"):
            ask(task)
    assert read_own(task, KEY) == {"proof": row["proof"]}
