"""What the exporter's page shows, as JSON: names as in ``status --json`` and ``leases --json``.

Unknown figures are ``null``. Moments are seconds since the epoch, durations seconds. There may be
more names in a later version.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, replace
from typing import Any

from kcl_processor.clock import Clock
from kcl_processor.fleet.events import Event
from kcl_processor.operate.asked import INTERVAL
from kcl_processor.operate.history import in_words
from kcl_processor.operate.lag_history import SPAN
from kcl_processor.operate.lineage import ShardView, depth, tree
from kcl_processor.operate.observe import Sight
from kcl_processor.operate.page_watch import Seen, Watch
from kcl_processor.operate.status import CRITICAL, PAUSED, RUNNING, UNKNOWN, WARN, Status

Document = dict[str, Any]

# Events and gaps that are told; the commands tell all.
MOST = 500
# A row of a table may hold 400 KB.
_LONGEST = 1000
# Up to here a browser counts exactly (ECMAScript, Number.MAX_SAFE_INTEGER).
_MOST_EXACT = 2**53 - 1
# A clock of another host may be ahead.
_AHEAD = 600.0


class Documents:
    """The documents of some tasks.

    Args:
        said: makes the commands in a text what can be typed here.
    """

    def __init__(self, watches: Sequence[Watch], clock: Clock, said: Callable[[str], str]) -> None:
        self._watches = {watch.name: watch for watch in watches}
        self._clock = clock
        self._said = said

    def tasks(self) -> Document:
        """All tasks, the worst first."""
        statuses = [(watch, watch.status()) for watch in self._watches.values()]
        ordered = sorted(statuses, key=lambda pair: _goodness(pair[1]))
        return {
            "at": self._clock.now(),
            "every": INTERVAL,
            "host": platform.node(),
            "tasks": [bounded(self._line(*pair)) for pair in ordered],
        }

    def task(self, name: str) -> Document | None:
        """One task, with all that is known of it; ``None`` if there is none of that name."""
        if not (watch := self._watches.get(name)):
            return None
        seen, now = watch.seen(), self._clock.now()
        found: Document = bounded(
            {
                "at": now,
                **self._line(watch, watch.status()),
                **(_of_sight(seen.sight) if seen and seen.sight else _NOT_SEEN),
                **_noted(seen, now),
                "copy": _work(seen, "copy"),
                "verify": _work(seen, "verify"),
                "unknown": {
                    what: self._said(why) for what, why in (seen.unknown if seen else {}).items()
                },
            }
        )
        # Of numbers alone, and many.
        return found | {"lags": [astuple(one) for one in watch.lags.since(now - SPAN)]}

    def _line(self, watch: Watch, status: Status) -> Document:
        seen = watch.seen()
        reasons = tuple(self._said(reason) for reason in status.reasons)
        line = asdict(replace(status, reasons=reasons))
        # Of one that could not be looked at this is no more known than the rest.
        unknown = {"throttled": None} if status.state == UNKNOWN else {}
        return line | unknown | {"seen_at": seen.at if seen else None}


_NOT_SEEN: Document = dict.fromkeys(
    ("live", "leader", "leases", "unseen", "pauses", "limited", "proof")
)


def _of_sight(sight: Sight) -> Document:
    proof = sight.proof
    return {
        "live": sight.live,
        "leader": sight.leader and sight.leader.owner,
        "leases": list(_leases(sight.shards)),
        "unseen": sight.unseen and sight.unseen.message,
        "pauses": [asdict(pause) for pause in sight.pauses],
        "limited": sight.limit and asdict(sight.limit),
        "proof": proof and asdict(proof),
    }


def _leases(views: Sequence[ShardView]) -> Iterator[Document]:
    """Each shard behind its first parent, with how many are above it."""
    for branch, view in tree(views):
        yield asdict(view) | {"depth": depth(branch)}


def _noted(seen: Seen | None, now: float) -> Document:
    events = seen.events if seen else None
    gaps = seen.gaps if seen else None
    return {
        "events": None if events is None else list(map(_event, _of_a_day(events, now))),
        "open_gaps": None if gaps is None else [asdict(gap) for gap in gaps[: -MOST - 1 : -1]],
    }


def _of_a_day(events: Sequence[Event], now: float) -> list[Event]:
    """Those of the last day, the last one first."""
    found = [event for event in events if now - SPAN <= event.at <= now + _AHEAD]
    return found[: -MOST - 1 : -1]


def _event(event: Event) -> Document:
    words = asdict(event)
    return {**words, "from": words.pop("origin"), "words": in_words(event)}


def _work(seen: Seen | None, name: str) -> Document | None:
    found = seen.work.get(name) if seen else None
    return None if found is None else asdict(found)  # type: ignore[call-overload]


def _goodness(status: Status) -> tuple[int, bool, float, str]:
    severity = {CRITICAL: 0, WARN: 1}.get(status.severity, 2)
    return severity, status.state in (RUNNING, PAUSED), -(status.lag or 0.0), status.task


def bounded(value: Any) -> Any:
    """A document that can be told: what another process wrote may be of any length and size."""
    match value:
        case str():
            text = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
            return text.encode(errors="replace").decode()
        case int() if abs(value) > _MOST_EXACT:
            return None
        case dict():
            return {bounded(key): bounded(one) for key, one in value.items()}
        case list() | tuple():
            return [bounded(one) for one in value]
    return value
