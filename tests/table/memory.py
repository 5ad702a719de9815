"""Tables in memory, and a comparison of two of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from kcl_processor.aws.wire import Answer
from kcl_processor.replicate.change import canonical_key
from kcl_processor.table.compare import WINDOWS_BYTES, Difference, SegmentPair
from kcl_processor.table.patience import ConditionFailed, PatientCalls
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


class Calls(PatientCalls):
    """The destination's writes, with their conditions evaluated as DynamoDB would."""

    def __init__(self, destination: Table, keys: Sequence[str] = ("pk",)) -> None:
        self.table = "replica"
        self._keys = keys
        self._items = destination.items
        self.before: Callable[[], None] = lambda: None
        self.made: list[str] = []
        self.loses_an_answer = False
        # Another store's way: no list and no map is equal to itself.
        self.compares_documents = True

    def call(self, operation: str, body: bytes, _expected: float, _doubt: float = 0.0) -> Answer:
        self.before()
        request = orjson.loads(body)
        target = request.get("Item") or request["Key"]
        name = canonical_key({key: target[key] for key in self._keys})
        if not self._holds(request, orjson.loads(self._items.get(name, b"{}"))):
            raise ConditionFailed
        self.made.append(operation)
        if operation == "PutItem":
            self._items[name] = orjson.dumps(request["Item"], option=orjson.OPT_SORT_KEYS)
        else:
            self._items.pop(name, None)
        if self.loses_an_answer:
            self.loses_an_answer = False
            return self.call(operation, body, _expected)
        return Answer(200)

    def _holds(self, request: dict[str, Any], item: dict[str, Any]) -> bool:
        for term in request["ConditionExpression"].split(" AND "):
            if term.startswith("attribute_not_exists("):
                if request["ExpressionAttributeNames"][term[21:-1]] in item:
                    return False
            else:
                name, _, value = term.partition("=")
                wanted = request["ExpressionAttributeValues"][value]
                if not self._equal(name, request["ExpressionAttributeNames"], item, wanted):
                    return False
        return True

    def _equal(
        self, operand: str, names: dict[str, str], item: dict[str, Any], wanted: dict[str, Any]
    ) -> bool:
        if operand.startswith("size("):
            held = item.get(names[operand[5:-1]], {"S": ""})
            return {"N": str(len(next(iter(held.values()))))} == wanted
        return (self.compares_documents or not wanted.keys() & {"L", "M"}) and (
            item.get(names[operand]) == wanted
        )


def verified(
    source: Table, destination: Table, clock: HandClock, patience: float = 0.0
) -> tuple[list[Difference], list[bytes], Suspects]:
    """Compare two tables without rules to the end."""
    return compared(Sides(source, destination), clock, patience)


def compared(
    sides: Sides, clock: HandClock, patience: float = 0.0, window: int = WINDOWS_BYTES
) -> tuple[list[Difference], list[bytes], Suspects]:
    """Compare to the end; the clock is turned while suspects are pending."""
    undecided: list[bytes] = []
    pair = SegmentPair(sides, WHOLE, window)
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
