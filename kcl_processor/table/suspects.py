"""Keys that did not match, read again until it is sure whether they differ.

A change that is on its way is no difference. So a key is one only when both sides, read strongly
consistent, differ for as long as the operator's patience while the source's item stands still. A
key whose item never stands still so long, and never matches, stays undecided.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from kcl_processor.clock import Clock
from kcl_processor.table.compare import Difference, Seen, Suspicious, difference
from kcl_processor.table.table_reader import TableReader

# Suspects that may be pending; at a few hundred bytes each this bounds memory.
MOST = 50_000
# Keys that are looked at in one go, and in one task of the pool.
_KEYS_AT_ONCE = 800
_KEYS_PER_TASK = 100
# Seconds between looks at one suspect: doubling from the first to the last.
_FIRST_LOOK, _LAST_LOOK = 0.25, 5.0
# A source's item may go on changing for so many patiences before its key is given up.
_PATIENCES = 3


@dataclass(slots=True)
class _Suspect:
    key: bytes
    segment: int
    seen: Seen
    since: float = field(default=0.0)
    still_since: float = field(default=0.0)
    source: bytes | None = None
    looks: int = 0


class Suspects:
    """The pending keys.

    Args:
        patience: seconds that the source's item must stand still while the sides differ.
        undecided: told the segment of each key that is given up.
    """

    def __init__(
        self,
        source: TableReader,
        destination: TableReader,
        pool: ThreadPoolExecutor,
        clock: Clock,
        patience: float,
        undecided: Callable[[int, bytes], None],
    ) -> None:
        self.settled = 0
        self._source = source
        self._destination = destination
        self._pool = pool
        self._clock = clock
        self._patience = patience
        self._undecided = undecided
        self._pending: dict[bytes, _Suspect] = {}
        self._due: list[tuple[float, bytes]] = []

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, segment: int, suspicious: Suspicious) -> None:
        """Take keys in; one that is pending already only learns who else has seen it."""
        for key, seen in suspicious:
            if key in self._pending:
                self._pending[key].seen |= seen
            else:
                self._pending[key] = _Suspect(key, segment, seen)
                heapq.heappush(self._due, (self._clock.elapsed(), key))

    def seconds_to_next(self) -> float:
        """Seconds until a suspect is due; 0 if one is now or none is pending."""
        return max(0.0, self._due[0][0] - self._clock.elapsed()) if self._due else 0.0

    def look(self) -> Iterator[Difference]:
        """Look at the suspects that are due, and yield those that are found to differ."""
        while due := self._take_due():
            tasks = [
                due[start : start + _KEYS_PER_TASK] for start in range(0, len(due), _KEYS_PER_TASK)
            ]
            for keys, (ours, theirs) in zip(tasks, self._pool.map(self._read, tasks), strict=True):
                for key in keys:
                    yield from self._judge(self._pending[key], ours.get(key), theirs.get(key))

    def _take_due(self) -> list[bytes]:
        now = self._clock.elapsed()
        keys: list[bytes] = []
        while self._due and self._due[0][0] <= now and len(keys) < _KEYS_AT_ONCE:
            keys.append(heapq.heappop(self._due)[1])
        return keys

    def _read(self, keys: Sequence[bytes]) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
        # The source first: what the destination then lacks was not yet replicated, or never.
        return self._source.get(keys), self._destination.get(keys)

    def _judge(
        self, suspect: _Suspect, ours: bytes | None, theirs: bytes | None
    ) -> Iterator[Difference]:
        now = self._clock.elapsed()
        found = difference(suspect.segment, suspect.key, ours, theirs)
        if found is None:
            del self._pending[suspect.key]
            self.settled += 1
            return
        self._observe(suspect, ours, now)
        if now - suspect.still_since >= self._patience:
            del self._pending[suspect.key]
            if suspect.seen.answers_for(found.kind):
                yield found
        elif now - suspect.since >= self._patience * _PATIENCES:
            del self._pending[suspect.key]
            self._undecided(suspect.segment, suspect.key)
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
        heapq.heappush(self._due, (min(now + pause, max(decided, now + _FIRST_LOOK)), suspect.key))
