"""Shards: an append-only list of changes that closes, is trimmed, and expires."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

EventName = Literal["INSERT", "MODIFY", "REMOVE"]
HASH_SPACE = 1 << 32


@dataclass(slots=True, frozen=True)
class Change:
    """One change of item `number`; `version` counts every change of it, deletions too, from 1.

    `created` is in epoch seconds. `raw` is a record given by a test, served as it is. `expired` is
    true for a deletion that time to live made.
    """

    sequence: int
    number: int
    version: int
    event: EventName
    created: float
    shard: str
    raw: bytes | None = None
    expired: bool = False


@dataclass(slots=True)
class Shard:
    """One shard: it takes the items whose key hash is in [`low`, `high`) until `end` is set.

    Positions count a shard's changes from its beginning, those that are trimmed included.
    """

    id: str
    parent: str | None
    lineage: int
    low: int
    high: int
    start: int
    end: int | None = None
    closed_at: float | None = None
    trimmed: int = 0
    trimmed_through: int = 0
    changes: list[Change] = field(default_factory=list)

    @property
    def tip(self) -> int:
        """The position after the last change."""
        return self.trimmed + len(self.changes)

    def close(self, end: int, now: float) -> None:
        """Take no more changes; `end` is the last sequence number of the range."""
        self.end = end
        self.closed_at = now

    def trim(self, before: float) -> list[Change]:
        """Forget the changes that were created before `before` (epoch seconds); return them."""
        gone = 0
        while gone < len(self.changes) and self.changes[gone].created < before:
            gone += 1
        forgotten = self.changes[:gone]
        if gone:
            self.trimmed_through = forgotten[-1].sequence
            self.trimmed += gone
            del self.changes[:gone]
        return forgotten

    def expired(self, before: float) -> bool:
        """True for a shard that closed before `before` and of which nothing is left."""
        return self.closed_at is not None and self.closed_at < before and not self.changes

    def position_of(self, sequence: int) -> int:
        """Return the position of the first change at or after `sequence`."""
        low, high = 0, len(self.changes)
        while low < high:
            middle = (low + high) // 2
            if self.changes[middle].sequence < sequence:
                low = middle + 1
            else:
                high = middle
        return self.trimmed + low
