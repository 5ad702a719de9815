"""Which span of time exports must be of, to name every key that a gap has lost a change of.

Of an item that was made and deleted within its span an incremental export says nothing (developer
guide, "Incremental export output"). The daemon may have laid such an item, and lost its deletion,
if it was made before the gap. No span begins just where its gap does: of a gap that the daemon
found that had read up to it the begin is known to the second, and within that second, too, an item
may have been made and laid; of others it is known when the shard was made, or when the stream was
last seen to be on. So each is to be looked for at the destination, too: an export of what was
written there since it began names all that may have been laid.

A begin may be earlier than a gap's, therefore, and an end later: what is after it is in the stream,
and arrives besides.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from kcl_processor.fleet.stream import HOUR, turned_on
from kcl_processor.state.gaps import Gap

# An incremental export is of a quarter of an hour at least, and of a day at most (developer guide).
_SHORTEST = 900.0
_LONGEST = 24 * HOUR
# The time of a change in the stream is rounded down to a second, and clocks are apart by less.
MARGIN = 60.0
# What was read before a gap was found is written by then.
_WRITTEN = 600.0
Window = tuple[float, float]


class Span(NamedTuple):
    """A span of time, in whole seconds since the epoch."""

    since: float
    until: float


class Unknown(NamedTuple):
    """No span is known; the reason is a sentence without its end."""

    reason: str


def span_of(gap: Gap, stream: str | None) -> Span | Unknown:
    """The span of a gap.

    Args:
        stream: the ARN of the one that the source has now.
    """
    since, until = moment(gap.since), moment(gap.until)
    if gap.shard is None:
        until = until or _began(gap, stream)
        if since is None:
            return Unknown("since when the stream was off is not known")
        if until is None:
            return Unknown("no stream is on since the one that was turned off")
    if since is None or until is None:
        return Unknown("when its first and its last change were made is not known")
    if since > until or (gap.shard and until > gap.at + _LONGEST):
        return Unknown("what is noted of its begin and its end cannot be")
    begin = float(int(since)) - MARGIN
    return Span(begin, max(begin + _SHORTEST, float(int(until) + 1) + MARGIN))


def joined(spans: Iterable[Span]) -> dict[Span, list[Span]]:
    """Spans that meet as one, with those that it is made of: an export is of the whole table,
    whatever shard a gap is of, and each shard has a first and a last change of its own."""
    found: dict[Span, list[Span]] = {}
    for span in sorted(spans):
        last = next(reversed(found), None)
        if last and span.since <= last.until:
            parts = found.pop(last)
            found[Span(last.since, max(last.until, span.until))] = [*parts, span]
        else:
            found[span] = [span]
    return found


def windows(span: Span) -> list[Window]:
    """The spans of the source's exports: without gaps, in their order."""
    return _cut(span.since, span.until)


def windows_there(span: Span, gaps: list[Gap], now: float) -> list[Window]:
    """The spans of the destination's exports, for gaps of one span: of all that was written there
    from its begin on, until nothing of what was read before any of them could follow.

    Args:
        now: seconds since the epoch. No gap was noted later, whatever the clock said then.
    """
    noted = min(now, max(gap.at for gap in gaps))
    since, until = span.since - MARGIN, float(int(noted)) + _WRITTEN
    return _cut(since, max(until, since + _SHORTEST))


def moment(noted: str | None) -> float | None:
    """A moment of a note, in seconds since the epoch; ``None`` where the note says none."""
    try:
        return datetime.fromisoformat(noted).timestamp() if noted else None
    except (ValueError, TypeError, OverflowError):
        return None


def _began(gap: Gap, stream: str | None) -> float | None:
    """When the stream was turned on that follows one that is gone."""
    if stream is None or stream == gap.checkpoint:
        return None
    return moment(turned_on(stream))


def _cut(since: float, until: float) -> list[Window]:
    count = max(1, -int(-(until - since) // _LONGEST))
    step = -(-(until - since) // count)
    bounds = [since + at * step for at in range(count)] + [until]
    return list(itertools.pairwise(bounds))
