"""What the demo writes, and what it compares in the end."""

from __future__ import annotations

import random
from typing import Any


def every_type(name: str, version: int) -> dict[str, Any]:
    """An item with an attribute of every DynamoDB type, empty and extreme values among them."""
    return {
        "pk": {"S": name},
        "version": {"N": str(version)},
        "big": {"N": "-12345678901234567890123456789012345678"},
        "small": {"N": "1E-130"},
        "text": {"S": "Grüße, 世界, 🚀"},
        "empty": {"S": ""},
        "binary": {"B": bytes(range(256))},
        "no_bytes": {"B": b""},
        "yes": {"BOOL": True},
        "nothing": {"NULL": True},
        "strings": {"SS": ["a", "ü"]},
        "numbers": {"NS": ["1", "-0.5", "12345678901234567890123456789012345678"]},
        "binaries": {"BS": [b"\x00", b"\xff\xfe"]},
        "list": {"L": [{"N": "1"}, {"M": {"deep": {"L": []}}}, {"B": b"\x01"}]},
        "map": {"M": {"empty": {"M": {}}, "with.dot": {"S": "x"}}},
        "padding": {"S": "x" * random.randrange(200)},
    }


def read(client: Any, table: str) -> dict[str, Any]:
    """All items by key; sets are compared without order, as DynamoDB does."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return {item["pk"]["S"]: _unordered(item) for page in pages for item in page["Items"]}


def _unordered(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {kind: set(value) if kind in ("SS", "NS", "BS") else value}
        for name, typed in item.items()
        for kind, value in typed.items()
    }
