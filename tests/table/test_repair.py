"""Repairs: conditional, checked again, and never an old item over a newer one."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from kcl_processor.table.compare import Difference
from kcl_processor.table.repair import Outcome, Repair, condition
from kcl_processor.table.sides import Kind, Pair, Sides
from tests.fakes import HandClock
from tests.table.memory import Calls, Table, image, key, verified

PAIR = Pair(key("a"), key("a"))


def repaired(
    source: Table,
    destination: Table,
    before: Callable[[], None] = lambda: None,
    *,
    delete_extra: bool = False,
    dry_run: bool = False,
) -> tuple[Outcome, list[str]]:
    """Find the difference of key ``a`` and repair it."""
    calls = Calls(destination)
    calls.before = before
    found = verified(source, destination, HandClock())[0][0]
    repair = Repair(Sides(source, destination), calls, delete_extra=delete_extra, dry_run=dry_run)
    return repair.apply(found.pair), calls.made


@pytest.mark.parametrize("theirs", [{}, {key("a"): image("a", 1)}])
def test_a_repair_puts_the_source_s_item(theirs: dict[bytes, bytes]) -> None:
    """Missing and changed keys get the source's item."""
    source, destination = Table({key("a"): image("a", 2)}), Table(theirs)
    assert repaired(source, destination) == (Outcome.PUT, ["PutItem"])
    assert destination.items == source.items


def test_an_extra_item_is_deleted_only_on_request() -> None:
    """Somebody may have put it there."""
    destination = Table({key("a"): image("a")})
    assert repaired(Table({}), destination) == (Outcome.LEFT, [])
    assert repaired(Table({}), destination, delete_extra=True, dry_run=True) == (
        Outcome.WOULD_DELETE,
        [],
    )
    assert repaired(Table({}), destination, delete_extra=True) == (Outcome.DELETED, ["DeleteItem"])
    assert destination.items == {}


def test_a_dry_run_writes_nothing() -> None:
    """It says what would be done."""
    source, destination = Table({key("a"): image("a")}), Table({})
    assert repaired(source, destination, dry_run=True) == (Outcome.WOULD_PUT, [])


def test_a_repair_never_lays_an_old_item_over_a_newer_one() -> None:
    """The daemon writes version 3 between the look and the write: the condition fails."""
    source, destination = Table({key("a"): image("a", 2)}), Table({key("a"): image("a", 1)})

    def daemon() -> None:
        source.items[key("a")] = destination.items[key("a")] = image("a", 3)

    assert repaired(source, destination, before=daemon) == (Outcome.SETTLED, [])
    assert destination.items == {key("a"): image("a", 3)}


def test_a_source_that_moves_after_the_write_is_repaired_again() -> None:
    """The check afterwards sees that the source went on."""
    source, destination = Table({key("a"): image("a", 2)}), Table({key("a"): image("a", 1)})
    versions = iter((3, 4))

    def move() -> None:
        source.items[key("a")] = image("a", next(versions, 4))

    assert repaired(source, destination, before=move)[0] is Outcome.PUT
    assert destination.items == source.items == {key("a"): image("a", 4)}


def test_an_item_comes_back_for_no_longer_than_a_look() -> None:
    """The source deletes it as it is put; the answer is lost, so the second attempt is refused."""
    source, destination = Table({key("a"): image("a")}), Table({})
    calls = Calls(destination)
    calls.before = source.items.clear
    calls.loses_an_answer = True
    repair = Repair(Sides(source, destination), calls, delete_extra=False, dry_run=False)
    assert repair.apply(PAIR) is Outcome.DELETED
    assert destination.items == {}


def test_nothing_that_a_repair_laid_is_left_behind_however_often_the_source_moves() -> None:
    """It goes there and back (ABA), and each time the destination is again what was compared."""
    source, destination = Table({key("a"): image("a", 1)}), Table({key("a"): image("a", 0)})
    moves = [1, 0] * 20

    def there_and_back() -> None:
        if moves:
            source.items[key("a")] = image("a", moves.pop())

    outcome, made = repaired(source, destination, before=there_and_back)
    assert outcome.equal and len(made) > 20
    assert destination.items == source.items == {key("a"): image("a", 1)}


def test_a_key_that_only_the_daemon_moves_is_given_up() -> None:
    """Nothing of ours is there, so what is there is the daemon's to bring up to date."""
    source, destination = Table({key("a"): image("a", 100)}), Table({key("a"): image("a", 0)})
    versions = iter(range(1, 100))

    def daemon() -> None:
        destination.items[key("a")] = image("a", next(versions))

    assert repaired(source, destination, before=daemon) == (Outcome.UNSETTLED, [])


@pytest.mark.parametrize("extra", [False, True])
def test_a_store_that_finds_no_document_equal_is_repaired_too(*, extra: bool) -> None:
    """Its refusals are known by the destination that has not moved; nothing else is laxer."""
    theirs = {"pk": {"S": "a"}, "l": {"L": [{"N": "1"}]}, "m": {"M": {"x": {"S": "y"}}}}
    source = Table({} if extra else {key("a"): image("a", 2)})
    destination = Table({key("a"): orjson.dumps(theirs)})
    calls = Calls(destination)
    calls.compares_documents = False
    repair = Repair(Sides(source, destination), calls, delete_extra=True, dry_run=False)
    assert repair.apply(PAIR) is (Outcome.DELETED if extra else Outcome.PUT)
    assert destination.items == source.items


def test_such_a_store_keeps_what_the_daemon_wrote_meanwhile() -> None:
    """A list that has grown is another, and every other attribute is compared as ever."""
    lists = [{"pk": {"S": "a"}, "l": {"L": [{"N": "1"}] * size}} for size in range(4)]
    source = Table({key("a"): orjson.dumps(lists[3])})
    destination = Table({key("a"): orjson.dumps(lists[1])})
    calls = Calls(destination)
    calls.compares_documents = False
    attempts = iter((1, 3))

    def daemon() -> None:
        destination.items[key("a")] = orjson.dumps(lists[next(attempts)])

    calls.before = daemon
    repair = Repair(Sides(source, destination), calls, delete_extra=False, dry_run=False)
    assert repair.apply(PAIR) is Outcome.SETTLED
    assert calls.made == []


def test_the_condition_covers_what_both_sides_hold() -> None:
    """Every attribute has its value still, and those of the source alone are absent still."""
    ours = orjson.dumps({"pk": {"S": "a"}, "new": {"N": "1"}, "same": {"S": "x"}})
    theirs = orjson.dumps({"pk": {"S": "a"}, "old": {"N": "1"}, "same": {"S": "x"}})
    found = condition(Difference(0, PAIR, Kind.CHANGED, ["new", "old"], ours, theirs))
    names = found["ExpressionAttributeNames"]
    terms = found["ConditionExpression"]
    for name, value in names.items():
        terms = terms.replace(f"{name}=", f"{value}=").replace(f"{name})", f"{value})")
    assert sorted(term.split(":")[0] for term in terms.split(" AND ")) == [
        "attribute_not_exists(new)",
        "old=",
        "pk=",
        "same=",
    ]


def test_the_condition_stays_within_dynamodb_s_limits() -> None:
    """300 operators and 4 KB, whatever the item; what differs is never left out."""
    many = {f"attribute-{n}": {"N": "1"} for n in range(500)}
    ours = orjson.dumps({"pk": {"S": "a"}, **many, "zz": {"N": "2"}})
    theirs = orjson.dumps({"pk": {"S": "a"}, **many, "zz": {"N": "1"}})
    found = condition(Difference(0, PAIR, Kind.CHANGED, ["zz"], ours, theirs))
    assert len(found["ConditionExpression"].encode()) < 4096
    assert found["ConditionExpression"].count("=") + found["ConditionExpression"].count("AND") < 300
    assert "zz" in found["ExpressionAttributeNames"].values()
