"""Two tables compared segment by segment, in memory that does not grow with them.

Both sides of a segment are scanned in step. What one side has shown and the other has not waits in
a window. DynamoDB scans in the order of a hash, so equal tables meet item for item and the window
stays near empty. That order is documented nowhere, so nothing rests on it: when a window is full,
its oldest items are looked up by key instead, and so is what is left at a segment's end. The order
decides what a comparison costs, never what it finds.

What does not match is no difference yet: a change may be on its way. It becomes a suspect, and
:mod:`kcl_processor.table.suspects` looks at it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Any

from kcl_processor.table.equality import differing
from kcl_processor.table.table_reader import Item, Page, Segment, TableReader

# Bytes of images that may wait in all windows of a verification together.
WINDOWS_BYTES = 24 << 20


class Kind(Enum):
    """How a destination differs in one key."""

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that differs, read strongly consistent on both sides.

    Attributes:
        key: the canonical key.
        attributes: the names of the attributes that differ; none when a whole side is missing.
        source, destination: the images as read; ``None`` where there is no item.
    """

    segment: int
    key: bytes
    kind: Kind
    attributes: list[str]
    source: bytes | None
    destination: bytes | None


def difference(
    segment: int, key: bytes, source: bytes | None, destination: bytes | None
) -> Difference | None:
    """Compare what both sides hold under one key; ``None`` when it is equal."""
    if source is None and destination is None:
        return None
    if source is None:
        return Difference(segment, key, Kind.EXTRA, [], source, destination)
    if destination is None:
        return Difference(segment, key, Kind.MISSING, [], source, destination)
    attributes = differing(source, destination)
    if not attributes:
        return None
    return Difference(segment, key, Kind.CHANGED, attributes, source, destination)


class Seen(IntFlag):
    """Which scans have shown a key that is now to be looked at.

    A window that overflowed may make one key a suspect twice, once by each scan. Each scan then
    answers for its own: the source's for what is missing or changed, the destination's for what is
    extra. So no difference is counted twice.
    """

    SOURCE = 1
    DESTINATION = 2
    BOTH = 3

    def answers_for(self, kind: Kind) -> bool:
        """Whether a difference of this kind is to be counted."""
        return bool(self & (Seen.DESTINATION if kind is Kind.EXTRA else Seen.SOURCE))


Suspicious = list[tuple[bytes, Seen]]


class SegmentPair:
    """The same segment of both tables, read in step; a cursor for :class:`scan.Rounds`.

    Args:
        most_bytes: of images that may wait for the other side.
    """

    def __init__(
        self,
        source: TableReader,
        destination: TableReader,
        segment: Segment,
        most_bytes: int = WINDOWS_BYTES,
    ) -> None:
        self.segment = segment
        self._window = Window(most_bytes)
        self._readers = (source, destination)
        self._after: list[dict[str, Any] | None] = [None, None]
        self._open = [True, True]
        self._shown = [0, 0]
        self._to_handle = 2

    def more(self) -> bool:
        return any(self._open)

    def fetch(self) -> tuple[int, Page]:
        """Read the next page of the side that is behind: 0 is the source, 1 the destination."""
        behind = self._shown[0] <= self._shown[1]
        side = 0 if self._open[0] and (behind or not self._open[1]) else 1
        page = self._readers[side].page(self.segment, self._after[side])
        self._after[side] = page.last_key
        self._open[side] = page.last_key is not None
        self._shown[side] += len(page.items)
        return side, page

    def meet(self, side: int, page: Page) -> Suspicious:
        """Compare a fetched page; return the keys to look at. Pages are met in their order."""
        suspicious = self._window.meet(side, page.items)
        if page.last_key is None:
            self._to_handle -= 1
        return suspicious if self._to_handle else suspicious + self._window.rest()


class Window:
    """What one side of a segment has shown and the other has not.

    Args:
        most_bytes: of images, on both sides together.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._waiting: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})

    def meet(self, side: int, items: Sequence[Item]) -> Suspicious:
        """Let a page of one side meet what waits on the other; return the keys to look at."""
        mine, others = self._waiting[side], self._waiting[1 - side]
        suspicious: Suspicious = []
        for key, image in items:
            other = others.pop(key, None)
            if other is None:
                mine[key] = image
                self._bytes += len(image)
                continue
            self._bytes -= len(other)
            if differing(image, other):
                suspicious.append((key, Seen.BOTH))
        return suspicious + list(self._overflow())

    def rest(self) -> Suspicious:
        """Empty the window, at the segment's end; return the keys that met no other."""
        rest = [(key, seen) for waiting, seen in self._sides() for key in waiting]
        for waiting, _ in self._sides():
            waiting.clear()
        self._bytes = 0
        return rest

    def _overflow(self) -> Iterator[tuple[bytes, Seen]]:
        """The oldest of the fuller side, until the window is within its bounds."""
        while self._bytes > self._most:
            fuller, seen = max(self._sides(), key=lambda side: len(side[0]))
            key = next(iter(fuller))
            self._bytes -= len(fuller.pop(key))
            yield key, seen

    def _sides(self) -> Iterator[tuple[dict[bytes, bytes], Seen]]:
        return zip(self._waiting, (Seen.SOURCE, Seen.DESTINATION), strict=True)
