"""Reading a table: pages of a segment, and items by key.

Pages and items come as DynamoDB JSON and stay so. Names are sorted at every level, so that images
that differ only in the order of their attributes are equal bytes.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from kcl_processor.replicate.change import canonical_key
from kcl_processor.table.patience import CallTally, PatientCalls
from kcl_processor.transform.transform import RESERVED_IN_JSON, without_reserved

# BatchGetItem takes 100 keys; a quarter of it keeps a page of the largest items (400 KB) bounded.
_KEYS_PER_REQUEST = 25
# A scan reads twice 4 KB for a unit, and 4 KB if it is strongly consistent (developer guide,
# "DynamoDB read and write operations"); an image as JSON is longer than the item is counted.
BYTES_PER_UNIT = 2 * 4096


class Item(NamedTuple):
    """One item as read: its canonical key and its image, both DynamoDB JSON.

    Attributes:
        origin: the canonical key of the source's item that it was laid from; its own if by no rule.
    """

    key: bytes
    image: bytes
    origin: bytes


class Failed(NamedTuple):
    """An item of the source for which a rule fails: its canonical key, and why."""

    key: bytes
    reason: str


class Segment(NamedTuple):
    """One part of a parallel scan: ``number`` of ``total``, from 0."""

    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a segment.

    Attributes:
        last_key: where the next page starts, as DynamoDB JSON; ``None`` at the segment's end.
        consumed: read capacity units.
        outside: how many more items were read, that rules leave out.
        failed: those for which a rule fails.
    """

    items: list[Item]
    last_key: dict[str, Any] | None
    consumed: float
    outside: int = 0
    failed: Sequence[Failed] = ()

    @property
    def read(self) -> int:
        """How many items the table had in it."""
        return len(self.items) + self.outside + len(self.failed)


class TableReader:
    """Reads one table. Safe to call from many threads at once.

    Args:
        key_names: the names of its key attributes.
        page_items: the most items that a page may hold; DynamoDB ends one at 1 MB besides.
        consistent: pages show all that was written before them, at twice the price.
    """

    def __init__(
        self,
        calls: PatientCalls,
        key_names: Iterable[str],
        page_items: int,
        *,
        consistent: bool = False,
    ) -> None:
        self._calls = calls
        self._key_names = tuple(key_names)
        self._page_items = page_items
        self._consistent = consistent
        self._page_cost = 0.0
        # One page at a time is taken apart: the interpreter lock allows no more anyway, and the
        # objects of one page are ten times the page.
        self._apart = threading.Lock()

    @property
    def tally(self) -> CallTally:
        """What was read since the reader was made."""
        return self._calls.tally

    def page(self, segment: Segment, after: dict[str, Any] | None) -> Page:
        """Read the page of ``segment`` behind the key ``after``; ``None`` is its beginning.

        Raises:
            OperatorError: the table cannot be read.
        """
        request: dict[str, Any] = {
            "TableName": self._calls.table,
            "Segment": segment.number,
            "TotalSegments": segment.total,
            "Limit": self._page_items,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if self._consistent:
            request["ConsistentRead"] = True
        if after is not None:
            request["ExclusiveStartKey"] = after
        answer = self._calls.call("Scan", orjson.dumps(request), self._page_cost)
        with self._apart:
            items = [self._item(item) for item in answer.body.pop("Items")]
        estimated = sum(len(item.image) for item in items) / BYTES_PER_UNIT
        if self._consistent:
            estimated *= 2
        self._page_cost = consumed = answer.units(estimated)
        return Page(items, answer.body.get("LastEvaluatedKey"), consumed)

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Read items by canonical key, strongly consistent; keys without an item are left out.

        Raises:
            OperatorError: the table cannot be read.
        """
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), _KEYS_PER_REQUEST):
            wanted: Any = [orjson.loads(key) for key in keys[start : start + _KEYS_PER_REQUEST]]
            while wanted:
                request = orjson.dumps(self._batch(wanted))
                body = self._calls.call("BatchGetItem", request, float(len(wanted))).body
                # One table is asked for. A store may call it otherwise: by its name, not its ARN.
                for item in itertools.chain.from_iterable(body["Responses"].values()):
                    read = self._item(item)
                    found[read.key] = read.image
                left = body.get("UnprocessedKeys", {}).values()
                wanted = [key for table in left for key in table["Keys"]]
        return found

    def _batch(self, keys: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "RequestItems": {self._calls.table: {"Keys": keys, "ConsistentRead": True}},
            "ReturnConsumedCapacity": "TOTAL",
        }

    def _item(self, item: dict[str, Any]) -> Item:
        return item_of(item, self._key_names)


def item_of(item: dict[str, Any], key_names: Iterable[str]) -> Item:
    """An item of the source as it is read, of its DynamoDB JSON.

    Raises:
        KeyError: it lacks a key attribute.
    """
    key = canonical_key({name: item[name] for name in key_names})
    image = orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
    if RESERVED_IN_JSON in image:
        image = orjson.dumps(without_reserved(item), option=orjson.OPT_SORT_KEYS)
    return Item(key, image, key)
