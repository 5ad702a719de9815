"""Keys that did not match, read again until it is sure whether they differ.

A change that is on its way is no difference. So a key is one only when both sides, read strongly
consistent, differ for as long as the operator's patience while the source's item stands still. A
key whose item never stands still so long, and never matches, stays undecided.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kcl_processor.clock import Clock
from kcl_processor.table.compare import Difference, Seen, Suspicious, difference
from kcl_processor.table.sides import Both, Kind, Pair, Sides

# Suspects that may be pending; at a few hundred bytes each this bounds memory.
MOST = 50_000
# Pairs that are looked at in one go, and in one task of the pool.
_PAIRS_AT_ONCE = 800
_PAIRS_PER_TASK = 100
# Seconds between looks at one suspect: doubling from the first to the last.
_FIRST_LOOK, _LAST_LOOK = 0.25, 5.0
# A source's item may go on changing for so many patiences before its key is given up.
_PATIENCES = 3
# What is true of the source, or of an item by itself: nothing that is on its way changes it.
_SURE = (Kind.COLLIDING, Kind.FAILED, Kind.UNTRACED)


@dataclass(slots=True)
class _Suspect:
    pair: Pair
    segment: int
    seen: Seen
    since: float = field(default=0.0)
    still_since: float = field(default=0.0)
    source: bytes | None = None
    looks: int = 0
    # Other segments in which it was seen, too.
    elsewhere: tuple[int, ...] = ()


class Suspects:
    """The pending keys.

    Args:
        patience: seconds that the source's item must stand still while the sides differ.
        undecided: told the segment of each key that is given up.
    """

    def __init__(
        self,
        sides: Sides,
        pool: ThreadPoolExecutor,
        clock: Clock,
        patience: float,
        undecided: Callable[[int, Pair], None],
    ) -> None:
        self.settled = 0
        self._sides = sides
        self._pool = pool
        self._clock = clock
        self._patience = patience
        self._undecided = undecided
        self._pending: dict[Pair, _Suspect] = {}
        # A number after the time: two pairs are never compared.
        self._due: list[tuple[float, int, Pair]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, segment: int, suspicious: Suspicious) -> None:
        """Take pairs in; one that is pending already only learns who else has seen it."""
        for pair, seen in suspicious:
            if suspect := self._pending.get(pair):
                suspect.seen |= seen
                if segment != suspect.segment:
                    suspect.elsewhere += (segment,)
            else:
                self._pending[pair] = _Suspect(pair, segment, seen)
                self._put_off(pair, self._clock.elapsed())

    def segments(self) -> set[int]:
        """The segments in which pending keys were seen."""
        return {
            segment
            for suspect in self._pending.values()
            for segment in (suspect.segment, *suspect.elsewhere)
        }

    def seconds_to_next(self) -> float:
        """Seconds until a suspect is due; 0 if one is now or none is pending."""
        return max(0.0, self._due[0][0] - self._clock.elapsed()) if self._due else 0.0

    def look(self) -> Iterator[Difference]:
        """Look at the suspects that are due, and yield those that are found to differ."""
        while due := self._take_due():
            tasks = [
                due[start : start + _PAIRS_PER_TASK]
                for start in range(0, len(due), _PAIRS_PER_TASK)
            ]
            for pairs, seen in zip(tasks, self._pool.map(self._sides.look, tasks), strict=True):
                for pair, both in zip(pairs, seen, strict=True):
                    yield from self._judge(self._pending[pair], both)

    def _take_due(self) -> list[Pair]:
        now = self._clock.elapsed()
        pairs: list[Pair] = []
        while self._due and self._due[0][0] <= now and len(pairs) < _PAIRS_AT_ONCE:
            pairs.append(heapq.heappop(self._due)[-1])
        return pairs

    def _judge(self, suspect: _Suspect, both: Both) -> Iterator[Difference]:
        now, pair = self._clock.elapsed(), suspect.pair
        found = difference(suspect.segment, pair, both)
        if found is None:
            del self._pending[pair]
            self.settled += 1
            return
        self._observe(suspect, both.source, now)
        if now - suspect.still_since >= self._patience or found.kind in _SURE:
            del self._pending[pair]
            if suspect.seen.answers_for(found.kind):
                yield found
        elif now - suspect.since >= self._patience * _PATIENCES:
            del self._pending[pair]
            self._undecided(suspect.segment, pair)
        else:
            self._look_again(suspect, now)

    def _observe(self, suspect: _Suspect, ours: bytes | None, now: float) -> None:
        digest = hashlib.sha256(ours or b"").digest()
        if suspect.source is None:
            suspect.since = now
        if digest != suspect.source:
            suspect.source, suspect.still_since = digest, now

    def _look_again(self, suspect: _Suspect, now: float) -> None:
        suspect.looks += 1
        pause = min(_LAST_LOOK, _FIRST_LOOK * 2 ** min(suspect.looks, 16))
        decided = suspect.still_since + self._patience
        self._put_off(suspect.pair, min(now + pause, max(decided, now + _FIRST_LOOK)))

    def _put_off(self, pair: Pair, until: float) -> None:
        heapq.heappush(self._due, (until, next(self._order), pair))
