"""Both tables under rules: what is compared with what, and what becomes of a difference."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.table.repair import Outcome, Repair
from kcl_processor.table.sides import Kind, LaidSides, Pair
from kcl_processor.table.verify_share import _Decision
from tests.fakes import HandClock
from tests.table.memory import WHOLE, Calls, Table, compared
from tests.table.ruled import (
    BY_FUNCTION,
    FILTER,
    JOINED,
    MET,
    MOVING,
    PK,
    RENAMED,
    SOURCE_KEYS,
    UNTRACEABLE,
    Given,
    copied,
    item,
    key_of,
    table,
    transform,
)

UNUSED: Any = None
TRACED = st.sampled_from([FILTER, RENAMED, JOINED, MOVING])
ITEMS = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["draft", "open", "paid"]), st.integers(0, 2)),
    max_size=14,
).map(lambda found: [item(*key, *rest) for key, rest in found.items()])
WINDOWS = st.sampled_from([0, 300, 1 << 20])


def sides_of(source: Table, destination: Table, rules: Given, *, keeps: bool = False) -> LaidSides:
    return LaidSides(source, destination, transform(rules), keeps=keeps)


def kinds(sides: LaidSides, window: int = 1 << 20) -> dict[bytes, Kind]:
    """What a comparison finds, by the destination's key; each key once."""
    found, undecided, _ = compared(sides, HandClock(), window=window)
    by_key = {one.pair.key: one.kind for one in found}
    assert len(by_key) == len(found) and not undecided
    return by_key


@given(ITEMS, st.sampled_from([FILTER, RENAMED, JOINED, MOVING, UNTRACEABLE]), st.integers(0, 5))
def test_a_copy_is_equal_whatever_the_rules(
    items: list[dict[str, object]], rules: Given, seed: int
) -> None:
    """In whatever order the destination is scanned."""
    source = table(items)
    assert kinds(sides_of(source, copied(source, rules, seed), rules)) == {}


@given(ITEMS, ITEMS, TRACED, WINDOWS, st.integers(0, 5))
def test_each_difference_is_found_once_and_repaired(
    ours: list[dict[str, object]],
    theirs: list[dict[str, object]],
    rules: Given,
    window: int,
    seed: int,
) -> None:
    """Missing, changed, extra, and what lies under a key that its item has no more: the destination
    is another table's copy."""
    source = table(ours, seed)
    destination, wanted = copied(table(theirs), rules, seed), copied(source, rules).items
    expected = {
        key: Kind.MISSING if key not in destination.items else Kind.CHANGED
        for key, image in wanted.items()
        if destination.items.get(key) != image
    }
    expected |= {key: Kind.EXTRA for key in destination.items if key not in wanted}
    sides = sides_of(source, destination, rules)
    assert kinds(sides, window) == expected
    repair = Repair(sides, Calls(destination, list(rules[1])), delete_extra=True, dry_run=False)
    for one in compared(sides, HandClock())[0]:
        assert repair.apply(one.pair).equal
    assert destination.items == wanted


def test_equal_tables_under_keys_of_one_order_cost_no_lookups() -> None:
    """Then each item meets itself in the window, laid."""
    source = table([item("a", number) for number in range(20)])
    destination = copied(source, RENAMED)
    assert compared(sides_of(source, destination, RENAMED), HandClock())[0] == []
    assert source.gets == destination.gets == []


def test_what_cannot_be_traced_is_told_and_stays() -> None:
    """Whether its item is gone, nobody can know."""
    source = table([item("a", 1)])
    destination = copied(table([item("a", 1), item("a", 2)]), UNTRACEABLE)
    sides, before = sides_of(source, destination, UNTRACEABLE), dict(destination.items)
    (found,) = compared(sides, HandClock(), patience=30)[0]
    assert (found.kind, found.pair.origin) == (Kind.UNTRACED, None)
    repair = Repair(sides, Calls(destination), delete_extra=True, dry_run=False)
    assert repair.apply(found.pair) is Outcome.LEFT
    assert destination.items == before


def test_what_passed_a_function_is_extra_for_nobody() -> None:
    """The function may have written another item's key into it."""
    source = table([item("a", 1)])
    destination = copied(table([item("a", 1, total=2), item("a", 2)]), BY_FUNCTION)
    sides = sides_of(source, destination, BY_FUNCTION)
    assert kinds(sides) == {
        key_of(item("a", 1)): Kind.CHANGED,
        key_of(item("a", 2)): Kind.UNTRACED,
    }


@pytest.mark.parametrize("strange", [{"N": "1"}, {"S": ""}, {"L": []}])
def test_a_foreign_item_that_holds_no_key_is_not_asked_for(strange: dict[str, object]) -> None:
    """The source would refuse to be asked for such a key."""
    foreign = {"pk": {"S": "x"}, "tenant": strange, "id": {"N": "1"}}
    source, destination = table([]), table([foreign], names=PK)
    assert kinds(sides_of(source, destination, JOINED)) == {key_of(foreign, PK): Kind.UNTRACED}
    assert source.gets == []


@pytest.mark.parametrize("length", [2049, 5000])
def test_a_key_that_no_table_takes_is_not_asked_for(length: int) -> None:
    """Of a source's item its rule fails; an item that carries one cannot be traced."""
    long = {**item("a", 1), "status": {"S": "x" * length}}
    source, destination = table([long]), table([], names=PK)
    sides = sides_of(source, destination, MOVING)
    (failed,) = sides.readers[0].page(WHOLE, None).failed
    assert "longer" in failed.reason and "xxx" not in failed.reason
    assert kinds(sides) == {}
    foreign = {"pk": {"S": "x"}, "tenant": {"S": "x" * length}, "id": {"N": "1"}}
    source, destination = table([]), table([foreign], names=PK)
    assert kinds(sides_of(source, destination, JOINED)) == {key_of(foreign, PK): Kind.UNTRACED}
    assert source.gets == destination.gets[1:] == []


def test_what_the_source_deleted_is_kept_where_that_is_wanted() -> None:
    """An item that has left the filter is extra all the same."""
    source = table([item("a", 1, "draft")])
    destination = copied(table([item("a", 1), item("a", 2)]), FILTER)
    assert kinds(sides_of(source, destination, FILTER, keeps=True)) == {
        key_of(item("a", 1)): Kind.EXTRA,
        key_of(item("a", 2)): Kind.KEPT,
    }
    assert set(kinds(sides_of(source, destination, FILTER)).values()) == {Kind.EXTRA}


@pytest.mark.parametrize("window", [0, 1 << 20])
def test_two_items_in_one_key_are_told(window: int) -> None:
    """The destination holds one of them; the other is told, and not written over it."""
    source = table([item("a", 1), item("a", 2), item("b", 1)])
    destination = copied(source, MET)
    sides = sides_of(source, destination, MET)
    clock = HandClock()
    (found,) = compared(sides, clock, patience=30, window=window)[0]
    assert found.kind is Kind.COLLIDING
    assert clock.seconds == HandClock().seconds
    before = dict(destination.items)
    repair = Repair(sides, Calls(destination), delete_extra=True, dry_run=False)
    assert repair.apply(found.pair) is Outcome.LEFT
    assert destination.items == before


def test_of_colliding_items_one_is_put_where_none_is() -> None:
    """The first that is repaired has the key."""
    source, destination = table([item("a", 1), item("a", 2)]), table([], names=PK)
    sides = sides_of(source, destination, MET)
    repair = Repair(sides, Calls(destination), delete_extra=True, dry_run=False)
    found = compared(sides, HandClock())[0]
    assert [one.kind for one in found] == [Kind.MISSING] * 2
    assert {repair.apply(one.pair) for one in found} == {Outcome.PUT, Outcome.LEFT}
    assert len(destination.items) == 1


def test_an_item_whose_rule_fails_is_neither_equal_nor_different() -> None:
    """The page tells it; one that fails only when it is read again is told then, and left."""
    bad = {**item("a", 1), "status": {"L": []}}
    source, destination = table([bad]), copied(table([item("a", 1)]), MOVING)
    sides = sides_of(source, destination, MOVING)
    page = sides.readers[0].page(WHOLE, None)
    assert ([one.key for one in page.failed], page.items, page.read) == ([key_of(bad)], [], 1)
    assert kinds(sides) == {}
    pair = Pair(next(iter(destination.items)), key_of(bad))
    assert sides.look([pair])[0].kind is Kind.FAILED
    repair = Repair(sides, Calls(destination), delete_extra=True, dry_run=False)
    assert repair.apply(pair) is Outcome.FAILED
    assert destination.items


def test_a_rule_that_fails_between_scan_and_look_is_told_and_nothing_is_asked_for() -> None:
    """By its own key, for where it would lie is not known."""
    source, destination = table([item("a", 1)]), table([], names=PK)
    sides = sides_of(source, destination, MOVING)
    key, bad = key_of(item("a", 1)), {**item("a", 1), "status": {"L": []}}

    def fail() -> None:
        source.items[key] = orjson.dumps(bad, option=orjson.OPT_SORT_KEYS)

    destination.before_get = fail
    (found,) = compared(sides, HandClock())[0]
    assert (found.kind, found.pair, found.source) == (Kind.FAILED, Pair(key, key), None)
    assert "transform.set.pk" in found.reason
    repair = Repair(sides, Calls(destination), delete_extra=True, dry_run=False)
    asked = len(destination.gets)
    assert _Decision._repaired(UNUSED, repair, found) is Outcome.FAILED
    assert len(destination.gets) == asked


def test_a_repair_lays_what_the_source_holds_now() -> None:
    """The item moves on between two looks, and under its old key nothing stays."""
    source, destination = table([item("a", 1, "open")]), table([], names=PK)
    sides, calls = sides_of(source, destination, MOVING), Calls(destination)
    (found,) = compared(sides, HandClock())[0]

    def move() -> None:
        paid = orjson.dumps(item("a", 1, "paid"), option=orjson.OPT_SORT_KEYS)
        source.items[key_of(item("a", 1))] = paid

    calls.before = move
    assert Repair(sides, calls, delete_extra=False, dry_run=False).apply(found.pair).equal
    assert destination.items == {}
    assert calls.made == ["PutItem", "DeleteItem"]


def test_of_a_pair_that_is_anothers_by_now_nothing_is_the_matter() -> None:
    """A deletion of the one must not take the other's item away."""
    source = table([item("a", 2)])
    destination = copied(source, MET)
    sides = sides_of(source, destination, MET)
    gone = Pair(next(iter(destination.items)), key_of(item("a", 1)))
    repair = Repair(sides, Calls(destination), delete_extra=True, dry_run=False)
    assert repair.apply(gone) is Outcome.SETTLED
    assert len(destination.items) == 1


def test_a_pair_has_the_source_s_key_from_whichever_side_has_shown_it() -> None:
    """The scan of the source knows it, and the destination's item carries it."""
    source = table([item("a", 1)])
    destination = copied(source, JOINED)
    sides = sides_of(source, destination, JOINED)
    shown = [reader.page(WHOLE, None).items[0] for reader in sides.readers]
    pairs = {sides.pair(one, of_source=not side) for side, one in enumerate(shown)}
    assert pairs == {Pair(b'{"pk":{"S":"a#1"}}', key_of(item("a", 1), SOURCE_KEYS))}
