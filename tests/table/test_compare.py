"""Windows, suspects and repairs, against tables in memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.aws.wire import Answer
from kcl_processor.table.compare import Difference, Kind, Seen, SegmentPair, Window
from kcl_processor.table.patience import ConditionFailed, PatientCalls
from kcl_processor.table.repair import Outcome, Repair, condition
from kcl_processor.table.suspects import Suspects
from kcl_processor.table.table_reader import Item, Page, Segment, TableReader
from tests.fakes import HandClock

WHOLE = Segment(0, 1)


def key(name: str) -> bytes:
    """A canonical key."""
    return b'{"pk":{"S":"%b"}}' % name.encode()


def image(name: str, version: int = 0) -> bytes:
    """An item."""
    return b'{"n":{"N":"%d"},"pk":{"S":"%b"}}' % (version, name.encode())


class Table(TableReader):
    """A table in memory, read as its base class reads, in an order of its own."""

    def __init__(self, items: dict[bytes, bytes], seed: int = 0, page: int = 3) -> None:
        self.items = dict(items)
        self.gets: list[bytes] = []
        self.before_get: Callable[[], None] = lambda: None
        self._order = sorted(items)
        random.Random(seed).shuffle(self._order)
        self._page = page

    def page(self, _segment: Segment, after: dict[str, Any] | None) -> Page:
        start = after["at"] if after else 0
        keys = self._order[start : start + self._page]
        more = start + self._page < len(self._order)
        items = [Item(key, self.items[key]) for key in keys]
        return Page(items, {"at": start + self._page} if more else None, 1.0)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        self.before_get()
        self.gets += keys
        return {key: self.items[key] for key in keys if key in self.items}


def verified(
    source: Table, destination: Table, clock: HandClock, patience: float = 0.0
) -> tuple[list[Difference], list[bytes], Suspects]:
    """Compare to the end; the clock is turned while suspects are pending."""
    undecided: list[bytes] = []
    pair = SegmentPair(source, destination, WHOLE)
    with ThreadPoolExecutor(1) as pool:
        suspects = Suspects(
            source,
            destination,
            pool,
            clock,
            patience,
            lambda _segment, key: undecided.append(key),
        )
        while pair.more():
            suspects.add(0, pair.meet(*pair.fetch()))
        found = list(suspects.look())
        while len(suspects):
            clock.turn(0.25)
            found += suspects.look()
    return found, undecided, suspects


STATES = st.dictionaries(
    st.integers(0, 30).map(str), st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=30
)


@given(STATES, st.integers(0, 5), st.integers(0, 5))
def test_finds_each_difference_once_whatever_the_order_of_the_scans(
    states: dict[str, tuple[int, int]], seed: int, other: int
) -> None:
    """Version 0 is no item on that side; missing, extra and changed are found and nothing else."""
    source, destination = (
        Table({key(n): image(n, s[at]) for n, s in states.items() if s[at]}, order)
        for at, order in ((0, seed), (1, other))
    )
    found, undecided, _ = verified(source, destination, HandClock())
    kinds = {(True, False): Kind.MISSING, (False, True): Kind.EXTRA, (True, True): Kind.CHANGED}
    expected = {
        key(name): kinds[bool(ours), bool(theirs)]
        for name, (ours, theirs) in states.items()
        if ours != theirs
    }
    assert {difference.key: difference.kind for difference in found} == expected
    assert len(found) == len(expected)
    assert not undecided


def test_equal_tables_in_one_order_cost_no_lookups() -> None:
    """Then each key meets itself in the window."""
    items = {key(str(n)): image(str(n)) for n in range(20)}
    source, destination = Table(items), Table(items)
    assert verified(source, destination, HandClock())[0] == []
    assert source.gets == destination.gets == []


def test_a_window_never_holds_more_than_its_bytes() -> None:
    """What overflows is looked up instead; each scan answers for its own kinds."""
    window = Window(most_bytes=300)
    items = [Item(key(str(n)), b"x" * 100) for n in range(10)]
    overflown = window.meet(0, items)
    assert overflown == [(item.key, Seen.SOURCE) for item in items[:7]]
    assert [seen for _, seen in window.rest()] == [Seen.SOURCE] * 3
    assert Seen.SOURCE.answers_for(Kind.CHANGED) and not Seen.SOURCE.answers_for(Kind.EXTRA)
    assert Seen.DESTINATION.answers_for(Kind.EXTRA)


def test_a_change_on_its_way_is_no_difference() -> None:
    """It arrives two looks later, within the patience."""
    clock = HandClock()
    source, destination = Table({key("a"): image("a", 2)}), Table({key("a"): image("a", 1)})

    def arrive() -> None:
        if len(destination.gets) == 2:
            destination.items[key("a")] = image("a", 2)

    destination.before_get = arrive
    found, undecided, suspects = verified(source, destination, clock, patience=30)
    assert (found, undecided, suspects.settled) == ([], [], 1)


def test_a_difference_is_one_after_the_patience_and_not_before() -> None:
    """The source's item stood still for 30 seconds."""
    clock = HandClock()
    source, destination = Table({key("a"): image("a")}), Table({})
    began = clock.elapsed()
    found, _, _ = verified(source, destination, clock, patience=30)
    assert [difference.kind for difference in found] == [Kind.MISSING]
    assert 30 <= clock.elapsed() - began < 32
    assert len(source.gets) < 20


def test_an_item_that_never_stands_still_is_undecided() -> None:
    """It changes at every look, and the destination never has the same."""
    clock = HandClock()
    source, destination = Table({key("a"): image("a")}), Table({key("a"): image("a", 99)})

    def change() -> None:
        source.items[key("a")] = image("a", 100 + len(source.gets))

    source.before_get = change
    found, undecided, _ = verified(source, destination, clock, patience=10)
    assert (found, undecided) == ([], [key("a")])


class Calls(PatientCalls):
    """The destination's writes, with their conditions evaluated as DynamoDB would."""

    def __init__(self, destination: Table) -> None:
        self.table = "replica"
        self._items = destination.items
        self.before: Callable[[], None] = lambda: None
        self.made: list[str] = []

    def call(self, operation: str, body: bytes, _expected: float) -> Answer:
        self.before()
        request = orjson.loads(body)
        target = request.get("Item") or request["Key"]
        name = orjson.dumps({"pk": target["pk"]})
        if not self._holds(request, orjson.loads(self._items.get(name, b"{}"))):
            raise ConditionFailed
        self.made.append(operation)
        if operation == "PutItem":
            self._items[name] = orjson.dumps(request["Item"], option=orjson.OPT_SORT_KEYS)
        else:
            self._items.pop(name, None)
        return Answer(200)

    def _holds(self, request: dict[str, Any], item: dict[str, Any]) -> bool:
        for term in request["ConditionExpression"].split(" AND "):
            if term.startswith("attribute_not_exists("):
                if request["ExpressionAttributeNames"][term[21:-1]] in item:
                    return False
            else:
                name, _, value = term.partition("=")
                wanted = request["ExpressionAttributeValues"][value]
                if item.get(request["ExpressionAttributeNames"][name]) != wanted:
                    return False
        return True


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
    repair = Repair(source, destination, calls, delete_extra=delete_extra, dry_run=dry_run)
    return repair.apply(found.key), calls.made


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


def test_the_condition_covers_what_both_sides_hold() -> None:
    """Every attribute has its value still, and those of the source alone are absent still."""
    ours = orjson.dumps({"pk": {"S": "a"}, "new": {"N": "1"}, "same": {"S": "x"}})
    theirs = orjson.dumps({"pk": {"S": "a"}, "old": {"N": "1"}, "same": {"S": "x"}})
    found = condition(Difference(0, key("a"), Kind.CHANGED, ["new", "old"], ours, theirs))
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
    found = condition(Difference(0, key("a"), Kind.CHANGED, ["zz"], ours, theirs))
    assert len(found["ConditionExpression"].encode()) < 4096
    assert found["ConditionExpression"].count("=") + found["ConditionExpression"].count("AND") < 300
    assert "zz" in found["ExpressionAttributeNames"].values()
