"""One part of a proof: what is known of it, and how far the comparison is that is under way."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from kcl_processor.errors import ConfigError
from kcl_processor.state.record import as_written

# Of the open differences of a part so many are known each by itself; the others are counted. A row
# with them has 5 KB.
MOST_KNOWN = 250
_PART = "KclProcessorProofPart-"


@dataclass(slots=True)
class Open:
    """What a comparison has left open.

    Attributes:
        known: keys that differ, as :func:`digest` has them.
        more: how many others differ.
        unsure: keys of which it is not known whether they differ.
    """

    known: list[str] = field(default_factory=list)
    more: int = 0
    unsure: int = 0

    @property
    def is_closed(self) -> bool:
        """Whether nothing is open."""
        return not (self.known or self.more or self.unsure)

    def note(self, key: str) -> None:
        """A key differs."""
        if len(self.known) < MOST_KNOWN:
            self.known.append(key)
        else:
            self.more += 1

    def add(self, other: Open) -> None:
        """What another comparison, of other keys, has left open is open, too."""
        for key in other.known:
            self.note(key)
        self.more += other.more
        self.unsure += other.unsure

    def without(self, settled: set[str]) -> Open:
        """What is left of it when some keys are equal."""
        return replace(self, known=[key for key in self.known if key not in settled])


@dataclass(slots=True)
class PartProof:
    """One part, compared over and over. Times are seconds since the epoch, 0 for never.

    Attributes:
        began_at, began_in: when the comparison began that is under way, or was the last; and in
            which round.
        done: the segments that it has compared.
        counts: what it has counted in them, by the names of ``SegmentResult``.
        found: what it has left open in them.
        compared_at, ended_at: when the last whole comparison began, and ended.
        round: in which it began.
        open: what that one left open.
        proven_at: when the last one began that left nothing open.
        finished_at: ``None`` while a comparison is under way.
    """

    token: str
    part: int
    parts: int
    segments: int
    began_at: float = 0.0
    began_in: int = 0
    done: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    found: Open = field(default_factory=Open)
    compared_at: float = 0.0
    ended_at: float = 0.0
    round: int = 0
    open: Open = field(default_factory=Open)
    proven_at: float = 0.0
    finished_at: float | None = None

    @property
    def left(self) -> list[int]:
        """The segments that are to be compared still."""
        done = set(self.done)
        return [at for at in range(self.part, self.segments, self.parts) if at not in done]

    def begin(self, now: float, number: int) -> None:
        """Compare it anew, unless a comparison was cut off: then go on with that.

        Args:
            number: the round's.
        """
        if self.began_at and self.finished_at is None:
            return
        self.began_at, self.began_in, self.finished_at = now, number, None
        self.done, self.counts, self.found = [], {}, Open()

    def enter(self, segment: int, counts: Mapping[str, int], found: Open) -> None:
        """A segment was compared, and all that was suspicious in it is decided."""
        self.done.append(segment)
        self.counts = {
            name: self.counts.get(name, 0) + counts.get(name, 0)
            for name in self.counts.keys() | counts
        }
        self.found.add(found)

    def finish(self, now: float) -> None:
        """All of it was compared."""
        self.compared_at, self.round = self.began_at, self.began_in
        self.ended_at = self.finished_at = now
        self.open, self.found = self.found, Open()
        self.close()

    def settle(self, settled: set[str]) -> None:
        """Some keys are equal now. So is the part, if they were all that differed in it."""
        self.open, self.found = self.open.without(settled), self.found.without(settled)
        self.close()

    def close(self) -> None:
        """What a comparison has left nothing open in is proven, as of its beginning."""
        if self.open.is_closed:
            self.proven_at = max(self.proven_at, self.compared_at)


def part_key(part: int, parts: int) -> str:
    """The key of a part's row."""
    return f"{_PART}{part}-of-{parts}"


def digest(key: bytes, origin: bytes | None) -> str:
    """A pair of keys as it is told from the others, without telling what it is."""
    return hashlib.blake2b(key + b"\0" + (origin or b""), digest_size=8).hexdigest()


def encode(part: PartProof) -> bytes:
    """A part as its row holds it, uncompressed."""
    return orjson.dumps(part)


def decode(row: Mapping[str, Any] | None) -> PartProof | None:
    """The part in a row.

    Raises:
        ConfigError: it cannot be understood.
    """
    if row is None:
        return None
    try:
        fields = orjson.loads(zlib.decompress(row["progress"]["B"]))
        lefts = {name: as_written(Open, fields.pop(name)) for name in ("found", "open")}
        return as_written(PartProof, fields | lefts)
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise unreadable(error) from error


def unreadable(error: Exception) -> ConfigError:
    """The error for a row that another version wrote."""
    return ConfigError(
        f"The proof beside the checkpoints cannot be read: {error!r}.",
        "go on with the version that wrote it",
    )
