"""The simulated table's items: about 1 KB, every attribute type, one version number an item.

An item is a pure function of its number and its version, so that nobody has to store items: the
stream renders a record's images when it is read, and the judge renders what the destination must
hold. Odd versions carry one attribute more than even ones, so that a destination that merges
instead of replacing is found out.
"""

from __future__ import annotations

import base64
from typing import Any

import orjson

Key = tuple[str, str]
Item = dict[str, dict[str, Any]]

HASH_KEY = "pk"
RANGE_KEY = "sk"
KEY_SCHEMA = [
    {"AttributeName": HASH_KEY, "KeyType": "HASH"},
    {"AttributeName": RANGE_KEY, "KeyType": "RANGE"},
]
ATTRIBUTE_DEFINITIONS = [
    {"AttributeName": HASH_KEY, "AttributeType": "S"},
    {"AttributeName": RANGE_KEY, "AttributeType": "N"},
]
_KEYS = b'{"pk":{"S":"item#%08d"},"sk":{"N":"%d"}}'
_IMAGE = b'{"pk":{"S":"item#%08d"},"sk":{"N":"%d"},"ver":{"N":"%d"},'
_SETS = frozenset(("SS", "NS", "BS"))


def key_of(number: int) -> Key:
    """Return the key of item `number` as the texts of its hash and range attributes."""
    return f"item#{number:08d}", str(number % 10)


def number_of(key: Key) -> int | None:
    """Return the number of the item that has `key`, or None if no item of the table can."""
    digits = key[0].removeprefix("item#")
    if not digits.isdigit():
        return None
    return int(digits) if key_of(int(digits)) == key else None


class Template:
    """Renders keys and images as the wire's JSON; `size` is about the bytes of an image."""

    def __init__(self, size: int = 1024) -> None:
        bare = len(_IMAGE % (0, 0, 0)) + len(_wire(attributes(0, "")))
        filler = "x" * max(0, size - bare)
        self._tails = [_wire(attributes(version, filler))[1:] for version in (0, 1)]
        self.key_size = item_size(orjson.loads(self.keys(0)))
        self.image_size = item_size(orjson.loads(self.image(0, 0)))

    def keys(self, number: int) -> bytes:
        """Return the key attributes of item `number`."""
        return _KEYS % (number, number % 10)

    def image(self, number: int, version: int) -> bytes:
        """Return item `number` as it was at `version`."""
        return _IMAGE % (number, number % 10, version) + self._tails[version % 2]


def key_attributes(number: int) -> Item:
    """Return the key attributes of item `number`."""
    hash_value, range_value = key_of(number)
    return {HASH_KEY: {"S": hash_value}, RANGE_KEY: {"N": range_value}}


def attributes(version: int, filler: str) -> Item:
    """Return what stands in an item beside key and version: every type, as boto3 has it."""
    blob = bytes(range(48))
    return {
        **({"odd": {"BOOL": True}} if version % 2 else {}),
        "text": {"S": 'größe "q" \\ \n 漢字 😀 ' + filler},
        "empty": {"S": ""},
        "amount": {"N": "-12345678901234567890.123456789012345678"},
        "blob": {"B": blob},
        "flag": {"BOOL": False},
        "nothing": {"NULL": True},
        "list": {"L": [{"S": "a"}, {"N": "1.5"}, {"L": []}, {"M": {"b": {"B": blob}}}]},
        "map": {"M": {"deep": {"M": {"n": {"N": "7"}, "none": {"NULL": True}}}, "e": {"M": {}}}},
        "words": {"SS": ["alpha", "beta", "gamma"]},
        "numbers": {"NS": ["-3", "0.25", "42"]},
        "blobs": {"BS": [b"\x00\x01\x02", b"\xfe\xff"]},
    }


def _wire(item: Item) -> bytes:
    return orjson.dumps(item, default=lambda binary: base64.b64encode(binary).decode())


def item_size(item: Item) -> int:
    """Return an item's size in bytes, nearly as DynamoDB counts it for limits and SizeBytes."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "M":
        return 3 + item_size(content)
    if kind == "L":
        return 3 + sum(map(_value_size, content))
    if kind in _SETS:
        return sum(len(str(member)) for member in content)
    return 1 if kind in ("BOOL", "NULL") else len(str(content).encode())


def canonical(value: Any) -> Any:
    """Return `value` (an item, as on the wire or as boto3 has it) with its sets sorted."""
    if isinstance(value, list):
        return [canonical(member) for member in value]
    if not isinstance(value, dict):
        return value
    return {
        name: sorted(content) if name in _SETS and isinstance(content, list) else canonical(content)
        for name, content in value.items()
    }
