"""Of which gaps a span is known that names every key, and which span that is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.state.gaps import Gap
from kcl_processor.table.heal_span import Unknown, span_of, windows

BEGIN = 1_700_000_000.0
SHARD = "shardId-00000001699990000000-abcdef01"


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def gap(
    since: float | None = BEGIN, until: float | None = BEGIN + 7200, shard: str | None = SHARD
) -> Gap:
    moments = [None if moment is None else iso(moment) for moment in (since, until)]
    return Gap(BEGIN + 9000, shard, "5", moments[0], moments[1], "trimmed")


def test_a_span_begins_where_the_gap_does_and_ends_behind_it() -> None:
    """To the second: what was made before the gap must be there as the span begins."""
    assert span_of(gap()) == (BEGIN, BEGIN + 7261)
    assert span_of(gap(BEGIN + 0.9, BEGIN + 7200.9)) == (BEGIN, BEGIN + 7261)


def test_a_short_gap_has_the_shortest_span_that_is_exported() -> None:
    """Longer at its end: what comes behind the gap is in the stream."""
    assert span_of(gap(until=BEGIN + 30)) == (BEGIN, BEGIN + 900)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (gap(shard=None), "turned off"),
        (gap(since=None), "is not known"),
        (gap(until=None), "is not known"),
        (replace(gap(), since="some day"), "is not known"),
        (replace(gap(), until="9999-12-31"), "cannot be"),
        (gap(since=BEGIN + 7201), "cannot be"),
        (gap(since=1699990000.0), "had read nothing of the shard itself"),
    ],
)
def test_a_gap_of_no_known_begin_has_no_span(found: Gap, told: str) -> None:
    """An item that was made before it, and deleted in it, could be in no export."""
    span = span_of(found)
    assert isinstance(span, Unknown) and told in span.reason


@given(since=st.integers(0, 10**9), seconds=st.integers(900, 40 * 86400))
def test_windows_cover_a_span_and_are_such_as_are_exported(since: int, seconds: int) -> None:
    """From a quarter of an hour to a day, each beginning where the one before it ends."""
    span = (float(since), float(since + seconds))
    found = windows(span)
    assert (found[0][0], found[-1][1]) == span
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))
    assert all(900 <= end - begin <= 86400 for begin, end in found)
    assert all(moment == int(moment) for window in found for moment in window)
