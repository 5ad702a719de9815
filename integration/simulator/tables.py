"""Reading a table: DescribeTable, GetItem, BatchGetItem and Scan over a mapping of key to item."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
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
        self._scan_order: list[Key] = []

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
        """Scan in pages of Limit or 1 MB, by segments; the first page fixes the keys' order."""
        only(
            body,
            *("TableName", "Limit", "ExclusiveStartKey", "Segment", "TotalSegments"),
            "ConsistentRead",
        )
        self.check(body)
        start = body.get("ExclusiveStartKey")
        if start is None or not self._scan_order:
            self._scan_order = sorted(self.items, key=_scan_key)
        after = _scan_key(self.key(start, exact=True)) if start else (-1, ("", ""))
        segment, segments = int(body.get("Segment", 0)), int(body.get("TotalSegments", 1))
        page, last = self._scan_page(after, segment, segments, int(body.get("Limit", 1 << 31)))
        answer = b'"Count":%d,"Items":[%b],"ScannedCount":%d' % (
            *(len(page), b",".join(page)),
            len(page),
        )
        if last is not None:
            answer += b',"LastEvaluatedKey":%b' % orjson.dumps(self.attributes(last))
        return b"{%b}" % answer

    def _scan_page(
        self, after: tuple[int, Key], segment: int, segments: int, limit: int
    ) -> tuple[list[bytes], Key | None]:
        page: list[bytes] = []
        size, last = 0, None
        for key in self._scan_order:
            point = _scan_key(key)
            if point <= after or point[0] % segments != segment:
                continue
            if len(page) >= limit or size >= _PAGE_BYTES:
                return page, last
            item = self.items.get(key)
            if item is not None:
                page.append(item)
                size += len(item)
                last = key
        return page, None


def _scan_key(key: Key) -> tuple[int, Key]:
    return zlib.crc32(key[0].encode()), key
