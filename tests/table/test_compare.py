"""Both scans in step: what meets itself in a window, and what does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.table.compare import Seen, Window
from kcl_processor.table.sides import Kind
from kcl_processor.table.table_reader import Item
from tests.fakes import HandClock
from tests.table.memory import Table, image, key, verified

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
    assert {difference.pair.key: difference.kind for difference in found} == expected
    assert len(found) == len(expected)
    assert not undecided


def test_a_key_that_only_one_scan_has_shown_counts_as_what_it_is_by_then() -> None:
    """It was made anew at the source since, or deleted there, and the change was lost."""
    source, destination = Table({}), Table({key("a"): image("a", 1)})
    source.before_get = lambda: source.items.update({key("a"): image("a", 2)})
    (found,) = verified(source, destination, HandClock(), patience=1.0)[0]
    assert found.kind is Kind.CHANGED
    source, destination = Table({key("a"): image("a", 1)}), Table({})
    destination.before_get = lambda: destination.items.update(source.items)
    source.before_get = source.items.clear
    (found,) = verified(source, destination, HandClock(), patience=1.0)[0]
    assert found.kind is Kind.EXTRA


def test_equal_tables_in_one_order_cost_no_lookups() -> None:
    """Then each key meets itself in the window."""
    items = {key(str(n)): image(str(n)) for n in range(20)}
    source, destination = Table(items), Table(items)
    assert verified(source, destination, HandClock())[0] == []
    assert source.gets == destination.gets == []


def test_a_window_never_holds_more_than_its_bytes() -> None:
    """What overflows is looked up instead; each scan answers for its own kinds."""
    window = Window(most_bytes=300)
    items = [Item(key(str(n)), b"x" * 100, key(str(n))) for n in range(10)]
    overflown = window.meet(0, items)
    assert overflown == [(item, Seen.SOURCE) for item in items[:7]]
    assert [seen for _, seen in window.rest()] == [Seen.SOURCE] * 3
    assert Seen.SOURCE.answers_for(Kind.CHANGED) and not Seen.SOURCE.answers_for(Kind.EXTRA)
    assert Seen.DESTINATION.answers_for(Kind.EXTRA)
