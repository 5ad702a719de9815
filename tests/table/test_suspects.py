"""Keys that did not match, until it is sure whether they differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kcl_processor.table.compare import Seen, SegmentPair
from kcl_processor.table.sides import Kind, Pair, Sides
from kcl_processor.table.suspects import Suspects
from tests.fakes import HandClock
from tests.table.memory import WHOLE, Table, image, key, verified


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


def test_a_key_keeps_every_segment_open_that_has_shown_it() -> None:
    """Under rules each scan may show it in another segment, and each answers for its own kinds."""
    clock = HandClock()
    sides = Sides(Table({key("a"): image("a")}), Table({}))
    pair = Pair(key("a"), key("a"))
    with ThreadPoolExecutor(1) as pool:
        suspects = Suspects(sides, pool, clock, 1.0, lambda *_: None)
        assert suspects.segments() == set()
        suspects.add(3, [(pair, Seen.SOURCE)])
        suspects.add(5, [(pair, Seen.DESTINATION)])
        assert list(suspects.look()) == []
        assert suspects.segments() == {3, 5}
        clock.turn(2)
        assert [found.segment for found in suspects.look()] == [3]
        assert suspects.segments() == set()


def test_a_segment_has_met_when_the_last_page_of_both_sides_has() -> None:
    """Pages are read ahead: one that is read has met nothing yet."""
    items = {key(str(n)): image(str(n)) for n in range(4)}
    pair = SegmentPair(Sides(Table(items), Table(items)), WHOLE)
    fetched = []
    while pair.more():
        fetched.append(pair.fetch())
        assert not pair.is_met
    for at, (side, page) in enumerate(fetched, 1):
        pair.meet(side, page)
        assert pair.is_met == (at == len(fetched))
