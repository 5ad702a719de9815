"""Tables in memory, and a comparison of two of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kcl_processor.table.compare import Difference, SegmentPair
from kcl_processor.table.sides import Sides
from kcl_processor.table.suspects import Suspects
from kcl_processor.table.table_reader import Item, Page, Segment, TableReader
from tests.fakes import HandClock

WHOLE = Segment(0, 1)


def key(name: str) -> bytes:
    """A canonical key."""
    return b'{"pk":{"S":"%b"}}' % name.encode()


def image(name: str, version: int = 0) -> bytes:
    """An item."""
    return b'{"n":{"N":"%d"},"pk":{"S":"%b"}}' % (version, name.encode())


class Table(TableReader):
    """A table in memory, read as its base class reads, in an order of its own."""

    def __init__(self, items: dict[bytes, bytes], seed: int = 0, page: int = 3) -> None:
        self.items = dict(items)
        self.gets: list[bytes] = []
        self.before_get: Callable[[], None] = lambda: None
        self._order = sorted(items)
        random.Random(seed).shuffle(self._order)
        self._page = page

    def page(self, _segment: Segment, after: dict[str, Any] | None) -> Page:
        start = after["at"] if after else 0
        keys = self._order[start : start + self._page]
        more = start + self._page < len(self._order)
        items = [Item(key, self.items[key], key) for key in keys]
        return Page(items, {"at": start + self._page} if more else None, 1.0)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        self.before_get()
        self.gets += keys
        return {key: self.items[key] for key in keys if key in self.items}


def verified(
    source: Table, destination: Table, clock: HandClock, patience: float = 0.0
) -> tuple[list[Difference], list[bytes], Suspects]:
    """Compare to the end; the clock is turned while suspects are pending."""
    undecided: list[bytes] = []
    sides = Sides(source, destination)
    pair = SegmentPair(sides, WHOLE)
    with ThreadPoolExecutor(1) as pool:
        suspects = Suspects(
            sides,
            pool,
            clock,
            patience,
            lambda _segment, pair: undecided.append(pair.key),
        )
        while pair.more():
            suspects.add(0, pair.meet(*pair.fetch()))
        found = list(suspects.look())
        while len(suspects):
            clock.turn(0.25)
            found += suspects.look()
    return found, undecided, suspects
