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
from enum import IntFlag
from typing import Any

from kcl_processor.table.equality import differing
from kcl_processor.table.sides import Both, Kind, Pair, Sides
from kcl_processor.table.table_reader import Item, Page, Segment

# Bytes of images that may wait in all windows of a verification together.
WINDOWS_BYTES = 24 << 20
# Of a key that is looked at by itself: no scan has found it.
NO_SEGMENT = -1
# What only the destination's scan shows.
_OF_DESTINATION = (Kind.EXTRA, Kind.KEPT, Kind.UNTRACED)


@dataclass(frozen=True, slots=True)
class Difference:
    """One pair of keys that differs, read strongly consistent on both sides.

    Attributes:
        pair: of one whose rule fails, the source's key twice: where it would lie is not known.
        attributes: the names of the attributes that differ; none when a whole side is missing.
        source, destination: the images as read, the source's as it is to be at the destination;
            ``None`` where there is no item.
        reason: why a rule fails.
    """

    segment: int
    pair: Pair
    kind: Kind
    attributes: list[str]
    source: bytes | None
    destination: bytes | None
    reason: str = ""


def difference(segment: int, pair: Pair, both: Both) -> Difference | None:
    """Compare what both sides hold of one pair; ``None`` when it is equal."""
    source, destination, kind, reason = both
    attributes: list[str] = []
    if kind is Kind.FAILED and pair.origin is not None:
        pair = Pair(pair.origin, pair.origin)
    if kind is None:
        if source is None and destination is None:
            return None
        if source is None:
            kind = Kind.EXTRA
        elif destination is None:
            kind = Kind.MISSING
        elif attributes := differing(source, destination):
            kind = Kind.CHANGED
        else:
            return None
    return Difference(segment, pair, kind, attributes, source, destination, reason)


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
        return bool(self & (Seen.DESTINATION if kind in _OF_DESTINATION else Seen.SOURCE))


Suspicious = list[tuple[Pair, Seen]]


class SegmentPair:
    """The same segment of both tables, read in step; a cursor for :class:`scan.Rounds`.

    Args:
        most_bytes: of images that may wait for the other side.
    """

    def __init__(
        self,
        sides: Sides,
        segment: Segment,
        most_bytes: int = WINDOWS_BYTES,
    ) -> None:
        self.segment = segment
        self._window = Window(most_bytes)
        self._sides = sides
        self._after: list[dict[str, Any] | None] = [None, None]
        self._open = [True, True]
        self._shown = [0, 0]
        self._to_handle = 2

    def more(self) -> bool:
        return any(self._open)

    @property
    def is_met(self) -> bool:
        """Whether the last page of either side has met the other's."""
        return not self._to_handle

    def fetch(self) -> tuple[int, Page]:
        """Read the next page of the side that is behind: 0 is the source, 1 the destination."""
        behind = self._shown[0] <= self._shown[1]
        side = 0 if self._open[0] and (behind or not self._open[1]) else 1
        page = self._sides.readers[side].page(self.segment, self._after[side])
        self._after[side] = page.last_key
        self._open[side] = page.last_key is not None
        self._shown[side] += len(page.items)
        return side, page

    def meet(self, side: int, page: Page) -> Suspicious:
        """Compare a fetched page; return the pairs to look at. Pages are met in their order."""
        odd = self._window.meet(side, page.items)
        if page.last_key is None:
            self._to_handle -= 1
        if not self._to_handle:
            rest = self._window.rest()
            odd += [(item, Seen.BOTH) for item, _ in rest] if self._is_whole else rest
        return [
            (self._sides.pair(item, of_source=bool(seen & Seen.SOURCE)), seen) for item, seen in odd
        ]

    @property
    def _is_whole(self) -> bool:
        """Whether what one scan has shown alone is sure not to have been shown by the other: no
        window overflowed, and no rule lays it in another segment. It is then a difference of any
        kind, for it may be another by now."""
        return not (self._window.has_overflowed or self._sides.may_not_trace)


Odd = list[tuple[Item, Seen]]


class Window:
    """What one side of a segment has shown and the other has not.

    Args:
        most_bytes: of images, on both sides together.

    Attributes:
        has_overflowed: whether items were let go that had met no other.
    """

    def __init__(self, most_bytes: int) -> None:
        self.has_overflowed = False
        self._most = most_bytes
        self._bytes = 0
        self._waiting: tuple[dict[bytes, Item], dict[bytes, Item]] = ({}, {})

    def meet(self, side: int, items: Sequence[Item]) -> Odd:
        """Let a page of one side meet what waits on the other; return the items to look at, the
        source's where both sides have shown one."""
        mine, others = self._waiting[side], self._waiting[1 - side]
        odd: Odd = []
        for item in items:
            other = others.pop(item.key, None)
            if other is not None:
                self._bytes -= len(other.image)
                if differing(item.image, other.image):
                    odd.append((other if side else item, Seen.BOTH))
            elif mine.setdefault(item.key, item) is item:
                self._bytes += len(item.image)
            else:
                # Rules have laid two items of the source to one key.
                odd.append((item, Seen.SOURCE))
        return odd + list(self._overflow())

    def rest(self) -> Odd:
        """Empty the window, at the segment's end; return the items that met no other."""
        rest = [(item, seen) for waiting, seen in self._sides() for item in waiting.values()]
        for waiting, _ in self._sides():
            waiting.clear()
        self._bytes = 0
        return rest

    def _overflow(self) -> Iterator[tuple[Item, Seen]]:
        """The oldest of the fuller side, until the window is within its bounds."""
        while self._bytes > self._most:
            fuller, seen = max(self._sides(), key=lambda side: len(side[0]))
            item = fuller.pop(next(iter(fuller)))
            self._bytes -= len(item.image)
            self.has_overflowed = True
            yield item, seen

    def _sides(self) -> Iterator[tuple[dict[bytes, Item], Seen]]:
        return zip(self._waiting, (Seen.SOURCE, Seen.DESTINATION), strict=True)
