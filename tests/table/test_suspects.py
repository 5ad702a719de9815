"""Keys that did not match, until it is sure whether they differ."""

from __future__ import annotations

from kcl_processor.table.sides import Kind
from tests.fakes import HandClock
from tests.table.memory import Table, image, key, verified


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
