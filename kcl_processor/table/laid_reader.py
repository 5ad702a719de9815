"""The source's table read as the replica is to hold it: its items laid by the task's rules.

Each item has the destination's key then, and its origin is the source's. In whatever order it was
read, it is in none that the destination's scan has, if the rules make other keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from kcl_processor.replicate.change import canonical_key
from kcl_processor.table.table_reader import Failed, Item, Page, Segment, TableReader
from kcl_processor.transform.transform import RuleFailed, Transform

# What a source's item comes to: an item of the replica, none, or no result.
Laid = Item | None | Failed


class LaidReader:
    """Reads the source's table. Safe to call from many threads at once."""

    def __init__(self, reader: TableReader, transform: Transform) -> None:
        self._reader = reader
        self._transform = transform

    def page(self, segment: Segment, after: dict[str, Any] | None) -> Page:
        """As :meth:`TableReader.page`, with the items that the replica holds.

        Raises:
            OperatorError: the table cannot be read.
        """
        page = self._reader.page(segment, after)
        laid = [lay(self._transform, item.key, item.image) for item in page.items]
        return replace(
            page,
            items=[one for one in laid if isinstance(one, Item)],
            outside=laid.count(None),
            failed=[one for one in laid if isinstance(one, Failed)],
        )

    def get(self, origins: Sequence[bytes]) -> dict[bytes, Laid]:
        """What items come to, by the source's canonical keys; those that are not there are left
        out. Strongly consistent.

        Raises:
            OperatorError: the table cannot be read.
        """
        found = self._reader.get(origins)
        return {key: lay(self._transform, key, image) for key, image in found.items()}


def lay(transform: Transform, key: bytes, image: bytes) -> Laid:
    """What an item of the source comes to.

    Args:
        key: its canonical key.
    """
    try:
        laid = transform.lay(orjson.loads(image))
    except RuleFailed as failed:
        return Failed(key, str(failed))
    if laid is None:
        return None
    image = orjson.dumps(laid, option=orjson.OPT_SORT_KEYS)
    return Item(canonical_key(transform.key_of(laid)), image, key)
