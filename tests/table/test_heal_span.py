"""Of which gaps a span is known that names every key, and which span that is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.state.gaps import Gap
from kcl_processor.table.heal_span import Span, Unknown, joined, span_of, windows, windows_there

BEGIN = 1_700_000_000.0
SHARD = "shardId-00000001699990000000-abcdef01"


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def gap(
    since: float | None = BEGIN, until: float | None = BEGIN + 7200, shard: str | None = SHARD
) -> Gap:
    moments = [None if moment is None else iso(moment) for moment in (since, until)]
    return Gap(BEGIN + 9000, shard, "5", moments[0], moments[1], "trimmed")


def test_a_span_holds_its_gap_with_a_margin_at_both_ends() -> None:
    """Clocks are apart; what was laid before the gap is looked for at the destination."""
    assert span_of(gap(), None) == (BEGIN - 60, BEGIN + 7261)
    assert span_of(gap(BEGIN + 0.9, BEGIN + 7200.9), None) == (BEGIN - 60, BEGIN + 7261)


def test_a_short_gap_has_the_shortest_span_that_is_exported() -> None:
    """Longer at its end: what comes behind the gap is in the stream."""
    assert span_of(gap(until=BEGIN + 30), None) == (BEGIN - 60, BEGIN + 840)


def test_a_stream_that_was_turned_off_was_read_for_some_time_after_it_was_seen() -> None:
    """Its gap ends where the next stream begins."""
    stream = f"arn:aws:dynamodb:us-east-1:1:table/orders/stream/{iso(BEGIN + 7200).rstrip('Z')}"
    found = gap(until=None, shard=None)
    assert span_of(found, stream.replace("+00:00", "")) == (BEGIN - 60, BEGIN + 7261)
    assert span_of(gap(shard=None), stream) == (BEGIN - 60, BEGIN + 7261)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (gap(until=None, shard=None), "no stream is on since"),
        (gap(since=None, shard=None), "since when the stream was off"),
        (gap(since=None), "is not known"),
        (gap(until=None), "is not known"),
        (replace(gap(), since="some day"), "is not known"),
        (replace(gap(), until="9999-12-31"), "cannot be"),
        (gap(since=BEGIN + 7201), "cannot be"),
    ],
)
def test_a_gap_of_no_known_times_has_no_span(found: Gap, told: str) -> None:
    """It is told what is not known."""
    for stream in (None, "5", "no-label"):
        span = span_of(found, stream)
        assert isinstance(span, Unknown) and told in span.reason


def test_what_was_laid_is_looked_for_until_nothing_follows() -> None:
    """From the begin of the span until all was written that had been read before the gaps."""
    span = Span(BEGIN, BEGIN + 7200)
    gaps = [replace(gap(), at=BEGIN + 90_000), replace(gap(), at=BEGIN + 95_000.7)]
    found = windows_there(span, gaps, BEGIN + 200_000)
    assert found[0][0] == BEGIN - 60 and found[-1][1] == BEGIN + 95_600
    assert len(found) == 2


def test_a_note_of_a_time_to_come_is_of_now_at_the_latest() -> None:
    """A host's clock that was ahead keeps nobody waiting until then."""
    ahead = replace(gap(), at=BEGIN + 10**8)
    found = windows_there(Span(BEGIN, BEGIN + 7200), [gap(), ahead], BEGIN + 9600.5)
    assert found[-1][1] == BEGIN + 9600 + 600


@given(since=st.integers(0, 10**9), seconds=st.integers(900, 40 * 86400))
def test_windows_cover_a_span_and_are_such_as_are_exported(since: int, seconds: int) -> None:
    """From a quarter of an hour to a day, each beginning where the one before it ends."""
    span = Span(float(since), float(since + seconds))
    found = windows(span)
    assert (found[0][0], found[-1][1]) == span[:2]
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))
    assert all(900 <= end - begin <= 86400 for begin, end in found)
    assert all(moment == int(moment) for window in found for moment in window)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90)), max_size=12))
def test_spans_that_meet_are_joined(bounds: list[tuple[int, int]]) -> None:
    """Each moment of any of them is in one, which has nothing between them; none meets another."""
    spans = {Span(float(since), float(since + length)) for since, length in bounds}
    found = joined(spans)
    assert sorted(part for parts in found.values() for part in parts) == sorted(spans)
    for whole, parts in found.items():
        assert whole == (min(part.since for part in parts), max(part.until for part in parts))
    for one, other in itertools.pairwise(sorted(found)):
        assert one.until < other.since
