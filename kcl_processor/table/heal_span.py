"""Which span of time an export must be of, to name every key that a gap has lost a change of.

Of an item that was made and deleted within its span an incremental export says nothing (developer
guide, "Incremental export output"). The daemon may have laid such an item, and lost its deletion,
if it was made before the gap: so a span has to begin exactly where the gap does. That is known
where the daemon read up to the gap itself. Of a daemon that found a gap as it began to read a shard
only the shard's creation is known, and of a stream that was turned off only when it was last seen.
An end may be later than a gap's: what is after it is in the stream, and arrives besides.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import datetime

from kcl_processor.fleet.stream import HOUR
from kcl_processor.state.gaps import Gap

# An incremental export is of a quarter of an hour at least, and of a day at most (developer guide).
_SHORTEST = 900.0
_LONGEST = 24 * HOUR
# The time of a change in the stream is rounded down to a second.
_MARGIN = 60.0
# A shard's id holds when it was made, in milliseconds; ``Gap.java`` reads it from there, too.
_SHARD_ID = re.compile(r"shardId-(\d{20})-.*")

Span = tuple[float, float]


@dataclass(frozen=True)
class Unknown:
    """No span is known that an export could be of.

    Attributes:
        reason: why, as a sentence without its end.
    """

    reason: str


def span_of(gap: Gap) -> Span | Unknown:
    """From when until when to ask for what changed, in whole seconds since the epoch."""
    if gap.shard is None:
        return Unknown("how far the stream was read before it was turned off is known to no second")
    since, until = moment(gap.since), moment(gap.until)
    if since is None or until is None:
        return Unknown("when its first and its last change were made is not known")
    if not since <= until < gap.at + _LONGEST:
        return Unknown("what is noted of its begin and its end cannot be")
    made = _SHARD_ID.fullmatch(gap.shard)
    if made and int(made[1]) == round(since * 1000):
        return Unknown(
            "the daemon that found it had read nothing of the shard itself, so when the change at "
            "its checkpoint was made is not known"
        )
    begin = float(int(since))
    return begin, max(begin + _SHORTEST, float(int(until) + 1) + _MARGIN)


def moment(noted: str | None) -> float | None:
    """A moment of a note, in seconds since the epoch; ``None`` where the note says none."""
    try:
        return datetime.fromisoformat(noted).timestamp() if noted else None
    except (ValueError, TypeError, OverflowError):
        return None


def windows(span: Span) -> list[Span]:
    """The spans of the exports that a span takes: without gaps, in their order."""
    since, until = span
    count = max(1, -int(-(until - since) // _LONGEST))
    step = -(-(until - since) // count)
    bounds = [since + at * step for at in range(count)] + [until]
    return list(itertools.pairwise(bounds))
