"""Reading a table: DescribeTable, GetItem, BatchGetItem and Scan over a mapping of key to item."""

from __future__ import annotations

import time
import zlib
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson

from integration.simulator.items import (
    ATTRIBUTE_DEFINITIONS,
    HASH_KEY,
    KEY_SCHEMA,
    RANGE_KEY,
    Item,
    Key,
)
from integration.simulator.stream import ACCOUNT, Stream
from integration.simulator.wire import ServiceError, only, required

# Where a key stands in a scan.
Place = tuple[int, Key]
_BEGINNING: Place = (-1, ("", ""))
_PAGE_BYTES = 1 << 20
_MISMATCH = "The provided key element does not match the schema"


class TableReader:
    """The reading operations over `items`, whose values are items as JSON.

    `schema` maps each key attribute to its type; a test may change it in mid-flight.
    """

    def __init__(self, name: str, region: str, items: Mapping[Key, bytes]) -> None:
        self.name = name
        self.arn = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{name}"
        self.items = items
        self.schema = {HASH_KEY: "S", RANGE_KEY: "N"}
        self._created = time.time()
        # Segment and number of segments to the places in it, in their order.
        self._places: dict[tuple[int, int], list[Place]] = {}

    def key(self, attributes: Item, *, exact: bool) -> Key:
        """Return the key in `attributes`; `exact` allows no other attribute.

        Raises ServiceError (ValidationException) if it does not fit the key schema.
        """
        if exact and set(attributes) != set(self.schema):
            raise ServiceError("ValidationException", _MISMATCH)
        for name, kind in self.schema.items():
            if kind not in attributes.get(name, {}):
                raise ServiceError("ValidationException", _MISMATCH)
        values = [str(attributes[name][kind]) for name, kind in self.schema.items()]
        return values[0], values[-1]

    def attributes(self, key: Key) -> Item:
        """Return `key` as attributes."""
        return {name: {kind: key[at]} for at, (name, kind) in enumerate(self.schema.items())}

    def check(self, body: dict[str, Any]) -> None:
        """Raise ServiceError (ResourceNotFoundException) unless the body names this table."""
        if body.get("TableName") not in (self.name, self.arn):
            raise ServiceError(
                "ResourceNotFoundException", "Cannot do operations on a non-existent table"
            )

    def describe(self, body: dict[str, Any], stream: Stream | None, view_type: str) -> bytes:
        """DescribeTable; with `stream`, the members that a stream brings.

        Those that name the latest stream stay when it is turned off, as in DynamoDB Local.
        """
        only(body, "TableName")
        self.check(body)
        table: dict[str, Any] = {
            "AttributeDefinitions": ATTRIBUTE_DEFINITIONS,
            "CreationDateTime": round(self._created, 3),
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "ItemCount": len(self.items),
            "KeySchema": KEY_SCHEMA,
            "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            "TableArn": self.arn,
            "TableName": self.name,
            "TableSizeBytes": 1024 * len(self.items),
            "TableStatus": "ACTIVE",
        }
        if stream is not None:
            table |= {"LatestStreamArn": stream.arn, "LatestStreamLabel": stream.label}
            if stream.status == "ENABLED":
                enabled = {"StreamEnabled": True, "StreamViewType": view_type}
                table["StreamSpecification"] = enabled
        return orjson.dumps({"Table": table})

    def get_item(self, body: dict[str, Any]) -> bytes:
        """GetItem, always consistent."""
        only(body, "TableName", "Key", "ConsistentRead")
        self.check(body)
        item = self.items.get(self.key(required(body, "Key"), exact=True))
        return b"{}" if item is None else b'{"Item":%b}' % item

    def batch_get_item(self, body: dict[str, Any]) -> bytes:
        """BatchGetItem of up to 100 keys of this table."""
        only(body, "RequestItems")
        found = []
        for table, wanted in required(body, "RequestItems").items():
            self.check({"TableName": table})
            only(wanted, "Keys", "ConsistentRead")
            if not 1 <= len(wanted["Keys"]) <= 100:
                raise ServiceError("ValidationException", "Keys must have from 1 to 100 members")
            keys = [self.key(attributes, exact=True) for attributes in wanted["Keys"]]
            found += [self.items[key] for key in keys if key in self.items]
        answer = b",".join(found)
        return b'{"Responses":{"%b":[%b]},"UnprocessedKeys":{}}' % (self.name.encode(), answer)

    def scan(self, body: dict[str, Any]) -> bytes:
        """Scan in pages of Limit or 1 MB, by segments, whose first page fixes their order."""
        only(
            body,
            *("TableName", "Limit", "ExclusiveStartKey", "Segment", "TotalSegments"),
            "ConsistentRead",
        )
        self.check(body)
        start = body.get("ExclusiveStartKey")
        of = int(body.get("Segment", 0)), int(body.get("TotalSegments", 1))
        if start is None or of not in self._places:
            self._places[of] = sorted(
                place for place in map(_place, self.items) if place[0] % of[1] == of[0]
            )
        after = _place(self.key(start, exact=True)) if start else _BEGINNING
        page, last = self._scan_page(after, self._places[of], int(body.get("Limit", 1 << 31)))
        answer = b'"Count":%d,"Items":[%b],"ScannedCount":%d' % (
            *(len(page), b",".join(page)),
            len(page),
        )
        if last is not None:
            answer += b',"LastEvaluatedKey":%b' % orjson.dumps(self.attributes(last))
        return b"{%b}" % answer

    def _scan_page(
        self, after: Place, places: list[Place], limit: int
    ) -> tuple[list[bytes], Key | None]:
        page: list[bytes] = []
        size, last = 0, None
        for at in range(bisect_right(places, after), len(places)):
            if len(page) >= limit or size >= _PAGE_BYTES:
                return page, last
            key = places[at][1]
            item = self.items.get(key)
            if item is not None:
                page.append(item)
                size += len(item)
                last = key
        return page, None


@cache
def _place(key: Key) -> Place:
    return zlib.crc32(key[0].encode()), key
