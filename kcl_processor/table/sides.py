"""Both tables side by side, under the keys of the destination.

Without rules an item has one key on both sides. With rules it has the key that it is laid to, and
its origin: the source's key, which the scan of the source knows. What the scan of the destination
shows is traced to its origin by the item itself, if it carries the source's key.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple, Protocol

import orjson

from kcl_processor.replicate.change import canonical_key
from kcl_processor.table.equality import same
from kcl_processor.table.laid_reader import Laid, LaidReader
from kcl_processor.table.table_reader import Failed, Item, Page, Segment, TableReader
from kcl_processor.transform.transform import Transform, is_too_long


class Kind(Enum):
    """How a destination differs in one key.

    ``KEPT`` is extra, of no item of the source any more, where deletions by time to live are
    skipped. Of an ``UNTRACED`` item it is not known whether the source has what it comes from.
    ``COLLIDING`` is an item of the source under whose key the destination holds another's.
    ``FAILED`` is one for which a rule fails.
    """

    MISSING = "missing"
    EXTRA = "extra"
    CHANGED = "changed"
    KEPT = "kept"
    UNTRACED = "untraced"
    COLLIDING = "colliding"
    FAILED = "failed"


class Pair(NamedTuple):
    """The canonical keys of one item, in the destination and in the source.

    Attributes:
        origin: ``None`` if it is not known.
    """

    key: bytes
    origin: bytes | None


class Both(NamedTuple):
    """What both sides hold of a pair.

    Attributes:
        source: as the destination is to hold it under the pair's key.
        kind: how they differ, where the images alone do not tell.
        reason: why a rule fails.
    """

    source: bytes | None
    destination: bytes | None
    kind: Kind | None = None
    reason: str = ""


class PageReader(Protocol):
    """Reads pages of a table; ``TableReader`` and ``LaidReader`` do."""

    def page(self, segment: Segment, after: dict[str, Any] | None) -> Page:
        """The page of ``segment`` behind the key ``after``."""


class Sides:
    """A source, and a destination that is to be like it. Safe to use from many threads at once.

    Attributes:
        readers: of the source, and of the destination.
        may_not_trace: whether what the destination holds may be of an origin that is not known.
    """

    may_not_trace = False

    def __init__(self, source: TableReader, destination: TableReader) -> None:
        self.readers: tuple[PageReader, PageReader] = source, destination
        self._source = source
        self._destination = destination

    def pair(self, item: Item, *, of_source: bool) -> Pair:
        """The keys of an item that one side's scan has shown."""
        del of_source
        return Pair(item.key, item.origin)

    def laid(self, origin: bytes) -> Laid:
        """What an item of the source comes to, by its key; ``None`` if it is not there, too.

        Raises:
            OperatorError: the source cannot be read.
        """
        image = self._source.get([origin]).get(origin)
        return None if image is None else Item(origin, image, origin)

    def place(self, origin: bytes) -> bytes | None:
        """Under which key the destination would hold an item, by the source's key alone; ``None``
        if that does not tell.

        Raises:
            RuleFailed: it cannot be worked out.
        """
        return origin

    def look(self, pairs: Sequence[Pair]) -> list[Both]:
        """Read what both sides hold of each pair, strongly consistent.

        Raises:
            OperatorError: a side cannot be read.
        """
        keys = [pair.key for pair in pairs]
        # The destination first: what the daemon writes after this reading fails a repair's
        # condition, and what it wrote before is no newer than what is read of the source after it.
        theirs = self._destination.get(keys)
        ours = self._source.get(keys)
        return [Both(ours.get(key), theirs.get(key)) for key in keys]


class LaidSides(Sides):
    """A source, and a destination that is to be as rules lay it.

    Args:
        keeps: what the source deleted may stay at the destination.
    """

    may_not_trace = True

    def __init__(
        self,
        source: TableReader,
        destination: TableReader,
        transform: Transform,
        *,
        keeps: bool,
    ) -> None:
        super().__init__(source, destination)
        self._laid = LaidReader(source, transform)
        self.readers = self._laid, destination
        self._transform = transform
        self._keeps = keeps

    def pair(self, item: Item, *, of_source: bool) -> Pair:
        return Pair(item.key, item.origin if of_source else self._trace(item.image))

    def laid(self, origin: bytes) -> Laid:
        return self._laid.get([origin]).get(origin)

    def place(self, origin: bytes) -> bytes | None:
        transform = self._transform
        if transform.rules.python or transform.moves:
            return None
        return canonical_key(transform.key_for(orjson.loads(origin)))

    def look(self, pairs: Sequence[Pair]) -> list[Both]:
        theirs = self._destination.get(list(dict.fromkeys(pair.key for pair in pairs)))
        laid = self._laid.get(known(pair.origin for pair in pairs))
        odd = [
            pair
            for pair in pairs
            if not same(under(pair.key, laid.get(pair.origin or b"")), theirs.get(pair.key))
        ]
        traced = {key: self._trace(theirs[key]) for key, _ in odd if key in theirs}
        asked = {pair.origin for pair in pairs}
        laid |= self._laid.get(known(origin for origin in traced.values() if origin not in asked))
        return [
            self._both(pair, theirs.get(pair.key), traced.get(pair.key), laid) for pair in pairs
        ]

    def _both(
        self,
        pair: Pair,
        theirs: bytes | None,
        traced: bytes | None,
        laid: dict[bytes, Laid],
    ) -> Both:
        """What is the matter with a pair.

        Args:
            traced: the origin of what the destination holds, if that differs.
        """
        mine = laid.get(pair.origin or b"")
        if isinstance(mine, Failed):
            return Both(None, theirs, Kind.FAILED, mine.reason)
        ours = under(pair.key, mine)
        if theirs is None or same(ours, theirs):
            return Both(ours, theirs)
        anothers = traced != pair.origin and under(pair.key, laid.get(traced or b"")) is not None
        if ours is not None:
            return Both(ours, theirs, Kind.COLLIDING if anothers else None)
        if traced is None:
            return Both(None, theirs, Kind.UNTRACED)
        if traced != pair.origin:
            # Whatever is the matter with it is another pair's.
            return Both(None, None)
        gone = traced not in laid
        return Both(None, theirs, Kind.KEPT if self._keeps and gone else None)

    def _trace(self, image: bytes) -> bytes | None:
        origin = self._transform.origin(orjson.loads(image))
        # What somebody else put there may be no key, and the source would refuse to be asked.
        return None if origin is None or is_too_long(origin) else canonical_key(origin)


def open_sides(
    source: TableReader,
    destination: TableReader,
    transform: Transform | None,
    *,
    keeps: bool = False,
) -> Sides:
    """Both tables of a task, with the rules between them.

    Args:
        keeps: what the source deleted may stay at the destination.
    """
    if transform is None:
        return Sides(source, destination)
    return LaidSides(source, destination, transform, keeps=keeps)


def known(origins: Any) -> list[bytes]:
    """Each origin once."""
    return [origin for origin in dict.fromkeys(origins) if origin is not None]


def under(key: bytes, laid: Laid) -> bytes | None:
    """What is laid to a key of the destination."""
    return laid.image if isinstance(laid, Item) and laid.key == key else None
