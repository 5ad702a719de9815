"""Writes are denied by one statement of ours, which comes and goes beside others' changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.errors import ConfigError, OperatorError, PermissionDenied
from kcl_processor.operate.freeze import WRITES, Freeze, TableGone, new_sid, refuse_replicas
from tests.fakes import HandClock, turning
from tests.kcl_tables import make_source_and_destination, make_task
from tests.policies import Table

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
OURS = "KclProcessorFreeze1"
THEIRS = {
    "Sid": "Analysts",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::210987654321:role/analyst"},
    "Action": "dynamodb:Query",
    "Resource": ARN,
}


def freeze(table: Any, then: Callable[[], object] = lambda: None) -> Freeze:
    clock = HandClock()
    return Freeze(table, ARN, "table orders", OURS, clock, turning(clock, then))


def nothing(_before: str | None) -> None:
    """What was there is not asked for."""


def test_writes_are_denied_and_nothing_else() -> None:
    """To everybody, on the table itself: its stream, its indexes and its settings are no part."""
    table = Table()
    freeze(table).put(nothing)
    (statement,) = table.statements
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Resource"] == ARN and statement["Action"] == list(WRITES)
    reads = ("Get", "Query", "Scan", "Describe", "Select", "Policy", "Table")
    assert not [one for one in WRITES if any(word in one for word in reads)]
    freeze(table).lift(None)
    assert table.text is None


@pytest.mark.parametrize("one", [THEIRS, [THEIRS]])
def test_what_was_there_comes_back_to_the_letter(one: Any) -> None:
    """It stands beside ours meanwhile; and is noted before it is changed."""
    text = json.dumps({"Version": "2012-10-17", "Id": "x", "Statement": one}, indent=4)
    table, noted = Table(text), list[str | None]()
    frozen = freeze(table)

    def note(before: str | None) -> None:
        assert table.changes == 0
        noted.append(before)

    frozen.put(note)
    assert noted == [text] and table.statements == [THEIRS, frozen.statement]
    assert frozen.stands()
    frozen.lift(text)
    assert table.text == text and not frozen.stands()


def test_what_others_change_meanwhile_stays() -> None:
    """Only the statement with our name goes, wherever it stands by then."""
    table = Table(json.dumps({"Statement": [THEIRS]}))
    frozen, before = freeze(table), table.text
    frozen.put(nothing)
    other = {**THEIRS, "Sid": "Others"}
    table.by_another(frozen.statement, other)
    frozen.lift(before)
    assert table.statements == [other]
    frozen.put(nothing)
    table.by_another(frozen.statement)
    frozen.lift(before)
    assert table.text is None


@pytest.mark.parametrize("lifting", [False, True])
def test_a_change_that_others_make_between_reading_and_writing_is_not_lost(
    *, lifting: bool
) -> None:
    """The revision is another then: it is read again, and so is what is noted of it."""
    table = Table()
    other, noted = {**THEIRS, "Sid": "Others"}, list[str | None]()
    if lifting:
        freeze(table).put(nothing)
        stale = Table(table.text)
        stale.by_another(freeze(table).statement, other)
        stale._shown.insert(0, (table.text, 1))
        freeze(stale).lift(None)
        assert stale.statements == [other]
        return

    def note(before: str | None) -> None:
        noted.append(before)
        if len(noted) == 1:
            table.by_another(other)

    freeze(table).put(note)
    assert [one["Sid"] for one in table.statements] == ["Others", OURS]
    assert noted[0] is None and json.loads(noted[-1] or "")["Statement"] == [other]


def test_what_is_shown_late_is_awaited() -> None:
    """A policy that was put is not there at once, and one that is gone still shows."""
    table = Table(stale=5)
    frozen = freeze(table)
    frozen.put(nothing)
    assert frozen.stands() and table.changes == 1
    frozen.lift(None)
    assert table.text is None and table.changes == 2
    table = Table(stale=9)
    freeze(table).put(nothing)
    table._shown = [(None, 1)] * 9 + [(table.text, table._revision)]
    freeze(table).lift(None)
    assert table.text is None, "whoever was killed behind the call left it, and did not see it"


@pytest.mark.parametrize("code", ["ThrottlingException", "ResourceInUseException"])
def test_a_change_is_made_as_soon_as_it_is_taken(code: str) -> None:
    """DynamoDB takes no second one within 15 seconds."""
    table = Table()
    table.refused = [code] * 15
    freeze(table).put(nothing)
    table.refused = [code] * 15
    freeze(table).lift(None)
    assert table.text is None


def test_a_policy_that_never_stands_still_is_told() -> None:
    """Nobody is kept waiting for ever."""
    table = Table()
    with pytest.raises(OperatorError, match="could not be changed within 60 s"):
        freeze(table).put(lambda _before: table.by_another(THEIRS))
    assert OURS not in (table.text or "")


def test_what_is_not_there_is_taken_out_without_a_call() -> None:
    """Somebody took it out by hand."""
    table = Table(json.dumps({"Statement": [THEIRS]}))
    freeze(table).lift("{}")
    assert table.changes == 0


def test_a_denied_call_is_named() -> None:
    """With its action, as everywhere."""
    table = Table()
    table.refused = ["AccessDeniedException"]
    with pytest.raises(PermissionDenied, match="dynamodb:PutResourcePolicy on table orders"):
        freeze(table).put(nothing)


def test_a_table_that_is_gone_has_no_freeze() -> None:
    """Nothing is left to be taken out of it, at once; but nothing is denied there, either."""
    table = Table()
    frozen = freeze(table)
    frozen.put(nothing)
    table.gone = True
    frozen.lift(None)
    for ask in (frozen.stands, lambda: frozen.put(nothing)):
        with pytest.raises(TableGone, match="table orders is gone"):
            ask()


def test_a_table_that_is_being_changed_is_not_gone() -> None:
    """It is called missing meanwhile, too."""
    table = Table()
    frozen = freeze(table)
    frozen.put(nothing)
    table.hidden = 3
    assert frozen.stands()
    table.hidden = 3
    frozen.lift(None)
    assert table.text is None


def test_a_statement_names_its_task() -> None:
    """Two tasks may have one source; whoever looks knows the own ones, and no others."""
    table, (one, other) = Table(), (make_task(), make_task())
    sids = [new_sid(one), new_sid(other), new_sid(one)]
    assert all(sid.isalnum() for sid in sids) and len(set(sids)) == 3
    assert freeze(table).sids_of(one) == set()
    table.by_another({}, THEIRS, *({"Sid": sid} for sid in sids))
    assert freeze(table).sids_of(one) == {sids[0], sids[2]}
    assert freeze(table).sids_of(other) == {sids[1]}
    table.gone = True
    assert freeze(table).sids_of(one) == set()


def test_it_comes_and_goes_on_a_server(moto_url: str) -> None:
    """moto keeps policies by revision as AWS does, and obeys none."""
    task, clock = make_task(moto_url), HandClock()
    client = make_source_and_destination(task)
    arn = client.describe_table(TableName=task.source.table)["Table"]["TableArn"]
    text = json.dumps({"Version": "2012-10-17", "Statement": [THEIRS]})
    for before in (None, text):
        if before:
            client.put_resource_policy(ResourceArn=arn, Policy=before)
        noted: list[str | None] = []
        frozen = Freeze(
            clients.tables(task.source), arn, "the table", new_sid(task), clock, clock.turn
        )
        frozen.put(noted.append)
        shown = json.loads(client.get_resource_policy(ResourceArn=arn)["Policy"])
        assert frozen.statement in shown["Statement"] and noted == [before]
        frozen.lift(before)
        assert not frozen.stands()
    assert client.get_resource_policy(ResourceArn=arn)["Policy"] == text


def test_a_long_policy_grows_by_one_statement_alone() -> None:
    """It may have 20 KB, spaces and all: what others wrote without them stays as short."""
    theirs = json.dumps(
        {"Statement": [{"Sid": f"S{at}", "Effect": "Allow"} for at in range(400)]},
        separators=(",", ":"),
    )
    table = Table(theirs)
    freeze(table).put(nothing)
    assert table.text and len(table.text) < len(theirs) + 400
    table.by_another(*json.loads(table.text)["Statement"], {"Sid": "New"})
    freeze(table).lift(theirs)
    assert table.text and len(table.text) < len(theirs) + 20


def test_a_replica_of_a_global_table_is_not_frozen() -> None:
    """Its other replicas would still be written, and the replication denied."""
    refuse_replicas({"TableName": "orders"}, "table orders")
    with pytest.raises(ConfigError, match="replica of a global table"):
        refuse_replicas({"Replicas": [{"RegionName": "eu-west-1"}]}, "table orders")
