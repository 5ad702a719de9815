"""What is in doubt, until when, and what is written then."""

from __future__ import annotations

import tracemalloc

from kcl_processor.replicate.doubt import WINDOW, Doubts
from tests.fakes import HandClock, put, remove


def test_a_key_is_in_doubt_until_a_write_that_was_made_behind_the_window() -> None:
    """A retry that is applied at once settles nothing: the lost request may land behind it."""
    clock = HandClock()
    doubts = Doubts(clock)
    doubts.began([put("a", 1)])
    doubts.applied([put("a", 1)], asked_at=clock.elapsed())
    assert doubts and doubts.due() == []
    clock.turn(WINDOW)
    assert doubts.due() == [put("a", 1)]
    doubts.applied([put("a", 1)], asked_at=clock.elapsed() - 1)
    assert doubts.due() == [put("a", 1)]
    doubts.applied([put("a", 1)], asked_at=clock.elapsed())
    assert not doubts and doubts.oldest() is None


def test_what_was_applied_last_is_what_is_written_again() -> None:
    """A newer change of the key takes the older one's place, a deletion too; others do not."""
    clock = HandClock()
    doubts = Doubts(clock)
    doubts.began([put("a", 1), put("b", 2)])
    doubts.applied([remove("a", 3), put("c", 4)], asked_at=clock.elapsed())
    clock.turn(WINDOW)
    assert doubts.due() == [remove("a", 3), put("b", 2)]


def test_the_oldest_is_that_of_the_key_that_has_been_in_doubt_for_longest() -> None:
    """A doubt that begins anew keeps its place, and its time is counted from its last request."""
    clock = HandClock()
    doubts = Doubts(clock)
    doubts.began([put("a", 1)])
    clock.turn(WINDOW / 2)
    doubts.began([put("b", 5)])
    doubts.began([put("a", 6)])
    assert doubts.oldest() == "1"
    clock.turn(WINDOW / 2)
    assert doubts.due() == []
    clock.turn(WINDOW / 2)
    assert doubts.due() == [put("a", 6), put("b", 5)]
    doubts.applied([put("a", 6)], asked_at=clock.elapsed())
    assert doubts.oldest() == "5"


def test_a_key_that_is_ever_in_doubt_again_does_not_hold_up_the_checkpoint() -> None:
    """Each lost request ends with its own window, and a hot key on a bad line has many."""
    clock = HandClock()
    doubts = Doubts(clock)
    oldest = []
    for number in range(1, 100):
        doubts.began([put("hot", number)])
        doubts.applied([put("hot", number)], asked_at=clock.elapsed())
        oldest.append(int(doubts.oldest() or 0))
        clock.turn(WINDOW / 10)
    assert oldest[-1] >= 99 - 10
    assert oldest == sorted(oldest)


def test_the_oldest_stays_that_of_another_key_when_one_moves_on() -> None:
    """A key whose first request has settled stands where its second one began."""
    clock = HandClock()
    doubts = Doubts(clock)
    doubts.began([put("a", 1)])
    doubts.began([put("b", 2)])
    clock.turn(WINDOW / 2)
    doubts.began([put("a", 3)])
    clock.turn(WINDOW / 2)
    doubts.applied([put("a", 3)], asked_at=clock.elapsed())
    assert doubts.oldest() == "2"
    doubts.applied([put("b", 2)], asked_at=clock.elapsed())
    assert doubts.oldest() == "3"


def test_what_is_never_taken_is_not_written_again() -> None:
    """Otherwise it would be set aside again and again; an older change of the key stays."""
    clock = HandClock()
    doubts = Doubts(clock)
    lost, bad = put("a", 1), put("b", 2)
    doubts.began([lost, bad])
    doubts.refused(bad)
    doubts.refused(put("a", 3))
    clock.turn(WINDOW)
    assert doubts.due() == [lost]


def test_what_is_remembered_is_bounded() -> None:
    """Behind 32 MB of images there is no room."""
    doubts = Doubts(HandClock())
    doubts.began([put("a", 1, text={"S": "x" * 17_000_000})])
    assert not doubts.is_full()
    doubts.began([put("b", 1, text={"S": "x" * 17_000_000})])
    assert doubts.is_full()


def test_an_outage_takes_no_more_memory_the_longer_it_lasts() -> None:
    """Behind a proxy that answers for its service every attempt is in doubt, for hours."""
    clock = HandClock()
    doubts = Doubts(clock)
    changes = [put(f"k{number}", number) for number in range(100)]
    doubts.began(changes)
    tracemalloc.start()
    try:
        for _ in range(300):
            clock.turn(2)
            doubts.began(changes)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 100_000
    assert doubts.oldest() == "0"
    clock.turn(WINDOW - 1)
    assert doubts.due() == []
    clock.turn(1)
    assert doubts.due() == changes
