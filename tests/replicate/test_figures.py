"""Figures of a shard: counts, latencies, rates."""

from __future__ import annotations

from kcl_processor.replicate.change import Change
from kcl_processor.replicate.figures import Latency, Rates, ShardFigures, Spread
from kcl_processor.state.heartbeat import (
    LATENCY_BOUNDS,
    Counts,
)
from tests.fakes import HandClock


def figures(clock: HandClock) -> ShardFigures:
    return ShardFigures("orders", "shardId-1", "worker-1", clock)


def changes(clock: HandClock, *ages: float) -> list[Change]:
    now = clock.now() * 1000
    return [Change(b"{}", None, "1", int(now - age * 1000)) for age in ages]


def test_a_delivery_is_counted_once_it_is_applied() -> None:
    """Received, batches and the moment of the poll; an empty delivery is a poll, too."""
    clock = HandClock()
    counted = figures(clock)
    counted.batch_done(changes(clock, 3, 2), 1500)
    clock.turn(5)
    counted.batch_done([], None)
    beat = counted.heartbeat()
    assert beat.counts == Counts(received=2, batches=1)
    assert (beat.polled_at, beat.behind_ms) == (clock.now(), 1500)
    assert beat.created_ms == int(clock.now() * 1000) - 7000


def test_what_waits_behind_an_empty_delivery_is_no_time_that_has_passed() -> None:
    """As in a pause, or for a limit: the source's seconds are those of the changes applied."""
    clock = HandClock()
    counted = figures(clock)
    for _ in range(3):
        counted.batch_done(changes(clock, 100.0), 100_000)
        clock.turn(1)
        counted.batch_done([], 101_000)
        clock.turn(9)
    clock.turn(-9)
    counted.batch_done([], 101_000)
    assert counted.heartbeat().rate_in == 2 / 20


def test_the_writers_tally_is_what_is_shown() -> None:
    """Items written, refused and retried come from the writer itself."""
    counted = figures(HandClock())
    counted.tally.written, counted.tally.refused, counted.tally.retried = 5, 1, 2
    counted.dead_letter()
    shown = counted.heartbeat().counts
    assert (shown.written, shown.refused, shown.retried, shown.dead_letters) == (5, 1, 2, 1)


def test_latency_is_a_statistic_set_that_is_taken_once() -> None:
    """Least, most and sum over what came since the last taking."""
    clock = HandClock()
    counted = figures(clock)
    counted.batch_done(changes(clock, 3, 1), 0)
    assert counted.take_latency() == Latency(2, 4000, 1000, 3000)
    assert counted.take_latency() == Latency()
    assert counted.heartbeat().latency_count == 2


def test_latencies_are_counted_up_to_each_bound() -> None:
    """A change that took a bound's time to the millisecond is within it."""
    spread = Spread()
    spread.add([1_000_000, 999_000, 970_000, 1_002_000], 1_000_000.0)
    assert spread.counts[:2] == [3, 3]
    assert spread.counts[LATENCY_BOUNDS.index(20)] == 3
    assert spread.counts[LATENCY_BOUNDS.index(30)] == 4
    spread.add([0], 1_000_000.0)
    assert spread.counts[LATENCY_BOUNDS.index(900)] == 4
    assert spread.counts[LATENCY_BOUNDS.index(3_600)] == 5
    counted = figures(HandClock())
    assert counted.heartbeat().latency_buckets == [0] * len(LATENCY_BOUNDS)


def test_a_source_ahead_of_this_clock_counts_as_zero() -> None:
    """Two clocks that differ make no negative latency."""
    latency = Latency()
    latency.add([2000], 1000)
    assert latency == Latency(1, 0, 0, 0)


def test_caught_up_both_rates_are_the_same() -> None:
    """As many changes a second come in as go out."""
    rates = Rates()
    for second in range(11):
        rates.add(1000.0 + second, 20 * second, 1000.0 + second)
    assert rates.at(1010.0) == (20, 20)


def test_behind_the_sources_rate_is_read_off_its_own_clock() -> None:
    """Ten source seconds in two of ours: five times as fast out as in."""
    rates = Rates()
    for second in range(3):
        rates.add(1000.0 + second, 100 * second, 500.0 + 5 * second)
    assert rates.at(1002.0) == (20, 100)


def test_rates_are_unknown_at_first_and_forget_after_a_minute() -> None:
    """One delivery has no rate; an hour of quiet has the rate of that hour's last minute."""
    rates = Rates()
    assert rates.at(0) == (None, None)
    rates.add(1000.0, 500, 1000.0)
    assert rates.at(1000.0) == (None, None)
    for second in range(1, 120):
        rates.add(1000.0 + second, 500, 1000.0 + second)
    assert rates.at(1119.0) == (0, 0)
