"""Which span of time exports must be of, to name every key that a gap has lost a change of.

Of an item that was made and deleted within its span an incremental export says nothing (developer
guide, "Incremental export output"). The daemon may have laid such an item, and lost its deletion,
if it was made before the gap. Where a span begins exactly where its gap does there is none: that is
known of a gap that was found by the daemon that had read up to it. A daemon that finds one as it
begins to read a shard knows only when the shard was made, and of a stream that was turned off it is
known when it was last seen to be on. There a span is to be looked for at the destination, too: an
export of what was written there since it began names all that may have been laid.

An end may be later than a gap's: what is after it is in the stream, and arrives besides.
"""

from __future__ import annotations

import itertools
import re
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
# A shard's id holds when it was made, in milliseconds; ``Gap.java`` reads it from there, too.
_SHARD_ID = re.compile(r"shardId-(\d{20})-.*")

Window = tuple[float, float]


class Span(NamedTuple):
    """A span of time, in whole seconds since the epoch.

    Attributes:
        exact: it begins exactly where the gap does.
    """

    since: float
    until: float
    exact: bool


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
    begin = float(int(since))
    end = max(begin + _SHORTEST, float(int(until) + 1) + MARGIN)
    return Span(begin, end, gap.shard is not None and not _is_shards(gap.shard, since))


def windows(span: Span) -> list[Window]:
    """The spans of the source's exports: without gaps, in their order."""
    return _cut(span.since, span.until)


def windows_there(span: Span, gaps: list[Gap]) -> list[Window]:
    """The spans of the destination's exports, for gaps of one span: of all that was written there
    from its begin on, until nothing of what was read before any of them could follow."""
    since, until = span.since - MARGIN, float(int(max(gap.at for gap in gaps))) + _WRITTEN
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


def _is_shards(shard: str, since: float) -> bool:
    """Whether a gap's begin is only its shard's."""
    made = _SHARD_ID.fullmatch(shard)
    return made is not None and int(made[1]) == round(since * 1000)


def _cut(since: float, until: float) -> list[Window]:
    count = max(1, -int(-(until - since) // _LONGEST))
    step = -(-(until - since) // count)
    bounds = [since + at * step for at in range(count)] + [until]
    return list(itertools.pairwise(bounds))
