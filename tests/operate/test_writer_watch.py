"""A stream is quiet when every shard was read empty for long enough, and read to its end when no
checkpoint is before what was found."""

from __future__ import annotations

import pytest

from kcl_processor.errors import GapError, OperatorError, PermissionDenied
from kcl_processor.fleet.leases import SHARD_END, TRIM_HORIZON
from kcl_processor.operate.writer_watch import (
    EMPTY_READINGS,
    QUIET,
    ShardEnd,
    WriterWatch,
)
from tests.fakes import HandClock
from tests.kcl_tables import lease_row
from tests.tails import FakeSource


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def watch_of(source: FakeSource, clock: HandClock) -> WriterWatch:
    return WriterWatch(source, source.tails, clock)


def looks(watch: WriterWatch, clock: HandClock, seconds: float = QUIET) -> None:
    """Look once a second for so long."""
    for _ in range(int(seconds) + 1):
        watch.look()
        clock.turn(1)


def test_it_is_quiet_after_a_while_without_a_change(clock: HandClock) -> None:
    """Not sooner, however often it was read; and a change begins it anew."""
    source = FakeSource(logs={"a": []})
    watch = watch_of(source, clock)
    watch.begin([lease_row("a", "7")])
    for _ in range(3 * EMPTY_READINGS):
        watch.look()
    assert not watch.quiet
    looks(watch, clock)
    assert watch.quiet
    source.write("a", 8)
    watch.look()
    assert not watch.quiet and watch.written == 1
    assert watch.last_written() == ("a", 1008.0)
    looks(watch, clock)
    assert watch.quiet


def test_a_few_readings_are_not_enough_however_long_they_take(clock: HandClock) -> None:
    """A slow service shows nothing in the time in which it was not asked."""
    watch = watch_of(FakeSource(logs={"a": []}), clock)
    watch.begin([lease_row("a")])
    for _ in range(EMPTY_READINGS - 1):
        watch.look()
        clock.turn(QUIET)
    assert not watch.quiet
    watch.look()
    assert watch.quiet


def test_a_shard_that_cannot_be_read_is_not_quiet(clock: HandClock) -> None:
    """What was put off may hold anything."""
    source = FakeSource(logs={"a": [], "b": []}, busy={"b"})
    watch = watch_of(source, clock)
    watch.begin([lease_row("a"), lease_row("b")])
    looks(watch, clock)
    assert not watch.quiet
    source.busy.clear()
    looks(watch, clock)
    assert watch.quiet


def test_shards_that_cannot_be_listed_now_are_read_on_and_are_not_quiet(clock: HandClock) -> None:
    """A minute without the network ends no watch of hours; what is denied does."""
    source = FakeSource(logs={"a": []})
    watch = watch_of(source, clock)
    watch.begin([lease_row("a")])
    source.unlisted = OperatorError("dynamodb:DescribeStream failed", "try again")
    looks(watch, clock)
    assert not watch.quiet
    source.write("a", 8)
    watch.look()
    assert watch.written == 1
    source.unlisted = PermissionDenied("dynamodb:DescribeStream is denied", "allow it")
    with pytest.raises(PermissionDenied):
        watch.look()
    source.unlisted = None
    looks(watch, clock)
    assert watch.quiet


def test_what_time_to_live_deletes_is_no_writers(clock: HandClock) -> None:
    """It goes on while the stream is quiet, and no checkpoint is waited for because of it."""
    source = FakeSource(logs={"a": []})
    watch = watch_of(source, clock)
    watch.begin([lease_row("a", "5")])
    for number in range(6, 30):
        source.write("a", number, expired=True)
        watch.look()
        clock.turn(1)
    assert watch.quiet and (watch.written, watch.expired) == (0, 24)
    assert watch.behind([lease_row("a", "5")]) == []


def test_a_checkpoint_is_awaited_for_all_that_was_read_when_asked(clock: HandClock) -> None:
    """A deletion of time to live may be in doubt, too, and be made once more; not what comes
    behind it, which comes on and on."""
    source = FakeSource(logs={"a": [], "b": [], "c": []})
    leases = [lease_row("a", "5"), lease_row("b", "5"), lease_row("c")]
    watch = watch_of(source, clock)
    watch.begin(leases)
    source.write("a", 6)
    source.write("a", 7, expired=True)
    watch.look()
    assert watch.behind([lease_row("a", "6"), *leases[1:]]) == []
    watch.await_all()
    source.write("a", 8, expired=True)
    watch.look()
    assert watch.behind([lease_row("a", "6"), *leases[1:]]) == [
        "shard a is at 6, and its last change is 7"
    ]
    assert watch.behind([lease_row("a", "7"), *leases[1:]]) == []


def test_a_shard_that_was_not_read_to_what_is_its_end_now_is_not_quiet(clock: HandClock) -> None:
    """Behind what time to live deleted there may be a writer's change."""
    source = FakeSource(logs={"a": []}, most=1)
    for number in range(6, 40):
        source.write("a", number, expired=True)
    watch = watch_of(source, clock)
    watch.begin([lease_row("a", "5")])
    looks(watch, clock)
    assert not watch.quiet and not watch.is_read and watch.expired == int(QUIET) + 1
    source.most = 100
    looks(watch, clock)
    assert watch.quiet and watch.expired == 34
    for number in (50, 51):
        source.write("a", number, expired=True)
    source.most = 1
    watch.look()
    assert not watch.quiet, "now and then it is not read to its end"
    watch.look()
    assert watch.quiet, "what was cut off is read by now, and was no writer's"


def test_an_idle_shard_is_read_to_its_end_wherever_its_checkpoint_stands(clock: HandClock) -> None:
    """Nothing lies behind it; of one that has something behind it the number is awaited."""
    source = FakeSource(logs={"a": [], "b": [], "c": []})
    for number in (99, 101):
        source.write("b", number)
    watch = watch_of(source, clock)
    watch.begin([lease_row("a", TRIM_HORIZON), lease_row("b", "99")])
    watch.look()
    # As texts, 99 is behind 101.
    assert watch.behind([lease_row("a", TRIM_HORIZON), lease_row("b", "99")]) == [
        "shard b is at 99, and its last change is 101"
    ]
    assert watch.behind([lease_row("a", TRIM_HORIZON), lease_row("b", "101")]) == []
    assert watch.behind([lease_row("b", SHARD_END)]) == []
    assert watch.ends() == [
        ShardEnd("a", None, closed=False),
        ShardEnd("b", "101", closed=False),
        ShardEnd("c", None, closed=False),
    ]


def test_a_shard_that_the_daemon_has_read_further_is_not_at_its_end(clock: HandClock) -> None:
    """Pages may be empty though changes follow, and how many is not known."""
    source = FakeSource(logs={"a": []})
    watch = watch_of(source, clock)
    watch.begin([lease_row("a", "5")])
    looks(watch, clock)
    assert watch.quiet and watch.behind([lease_row("a", "5")]) == []
    assert watch.behind([lease_row("a", "9")]) == ["shard a is at 9, and was read to 5 here"]
    source.write("a", 9, expired=True)
    watch.look()
    assert watch.behind([lease_row("a", "9")]) == []


@pytest.mark.parametrize("leases", [["TRIM_HORIZON"], ["4"], []])
def test_a_checkpoint_before_where_it_stood_is_behind(clock: HandClock, leases: list[str]) -> None:
    """Also of a shard that was read to its end: what was applied is applied again."""
    source = FakeSource(logs={"a": [], "b": []}, parents={"b": "a"}, closed={"a"})
    watch = watch_of(source, clock)
    watch.begin([lease_row("a", SHARD_END), lease_row("b", "5")])
    looks(watch, clock)
    assert watch.behind([lease_row("a", SHARD_END), lease_row("b", "5")]) == []
    at = leases[0] if leases else "no lease"
    back = [lease_row("b", at) for at in leases]
    assert watch.behind(back) == [f"shard b is at {at}, and was at 5"]
    again = [lease_row("a", TRIM_HORIZON), lease_row("b", "5")]
    assert watch.behind(again) == ["shard a is at TRIM_HORIZON, and was read to its end"]


def test_a_change_in_a_shard_without_a_lease_is_awaited(clock: HandClock) -> None:
    """The daemon has not found the shard yet."""
    source = FakeSource()
    source.write("a", 1)
    watch = watch_of(source, clock)
    watch.begin([])
    watch.look()
    assert watch.behind([]) == ["shard a is at no lease, and its last change is 1"]


def test_shards_that_were_read_to_their_end_are_not_read_again(clock: HandClock) -> None:
    """By their lease, or by their children's, behind which KCL removes it."""
    source = FakeSource(logs={"a": [], "b": [], "c": []}, closed={"a", "b"})
    source.parents = {"b": "a", "c": "b"}
    for shard in ("a", "b"):
        source.write(shard, 1)
    watch = watch_of(source, clock)
    watch.begin([lease_row("b", SHARD_END, parents=["a"]), lease_row("c", "3", parents=["b"])])
    looks(watch, clock)
    assert watch.quiet and watch.written == 0
    assert [end.shard for end in watch.ends()] == ["c"]


def test_what_follows_a_closed_shard_is_read_too(clock: HandClock) -> None:
    """Also what the daemon has read already; and before it is listed nothing is quiet."""
    source = FakeSource(logs={"a": []})
    watch = watch_of(source, clock)
    watch.begin([lease_row("a", "5")])
    watch.look()
    source.closed.add("a")
    looks(watch, clock)
    assert not watch.quiet and watch.orphans() == ["a"]
    source.roll_over("a", "b")
    source.write("b", 9)
    watch.look()
    assert watch.written == 1 and watch.orphans() == []
    assert watch.behind([lease_row("a", "5")]) == [
        "shard a is closed, and not read to its end",
        "shard b is at no lease, and its last change is 9",
    ]
    leases = [lease_row("a", SHARD_END), lease_row("b", "9", parents=["a"])]
    looks(watch, clock)
    assert watch.behind(leases) == [] and watch.quiet
    assert watch.behind(leases[1:]) == []


def test_a_watch_goes_on_where_another_ended(clock: HandClock) -> None:
    """Only what came since counts, in those shards and in their descendants."""
    source = FakeSource(logs={"old": [], "a": []}, closed={"old"}, parents={"a": "old"})
    for shard in ("old", "a"):
        source.write(shard, 4)
    ends = [ShardEnd("a", "4", closed=False)]
    later = watch_of(source, clock)
    later.begin_behind(ends)
    later.look()
    assert later.written == 0
    source.roll_over("a", "b")
    source.roll_over("b", "c")
    source.write("c", 8)
    again = watch_of(source, clock)
    again.begin_behind(ends)
    again.look()
    assert again.written == 1 and again.last_written() == ("c", 1008.0)
    del source.logs["a"]
    with pytest.raises(GapError, match="Shard a has left the stream"):
        watch_of(source, clock).begin_behind(ends)
