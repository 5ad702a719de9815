"""A change: one edit of one item, as the stream tells it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from kcl_processor.transform.values import NotAValue, spelled

# A number as every store spells it.
_PLAIN = re.compile("0|-?[1-9][0-9]{0,37}")


@dataclass(frozen=True, slots=True)
class Change:
    """The state that one stream record leaves an item in.

    Images stay in DynamoDB's own JSON (``{"pk": {"S": "a"}}``, numbers as strings, binaries in
    base64), as bytes: what was never converted cannot be converted wrongly.

    Attributes:
        key: the item's key as DynamoDB JSON, attribute names sorted, so that equal keys are
            equal bytes.
        image: the whole new item as DynamoDB JSON; ``None`` when the item was removed.
        sequence_number: the record's place in its shard; up to 40 decimal digits, so compare
            sequence numbers as integers, never as text.
        created_ms: when the source applied the change, milliseconds since the epoch, as coarse as
            the stream's ``ApproximateCreationDateTime`` (a second).
        source: the change as the source made it, where rules have made this one of it.
    """

    key: bytes
    image: bytes | None
    sequence_number: str
    created_ms: int
    source: Change | None = None


def canonical_key(key: dict[str, Any]) -> bytes:
    """The key's DynamoDB JSON with sorted names, so that equal keys are equal bytes.

    A number gets DynamoDB's spelling: other stores give it back as it was written, or in one of
    their own.

    Raises:
        TypeError: ``key`` is not a map with at least one attribute.
    """
    if not isinstance(key, dict) or not key:
        raise TypeError("Keys is not a map with a key in it")
    numbers = {name: _number(one) for name, one in key.items() if type(one) is dict and "N" in one}
    return orjson.dumps(key | numbers if numbers else key, option=orjson.OPT_SORT_KEYS)


def _number(value: dict[str, Any]) -> dict[str, Any]:
    """A number in DynamoDB's spelling, if it is one that DynamoDB has."""
    text = value["N"]
    if not isinstance(text, str) or _PLAIN.fullmatch(text):
        return value
    try:
        return {"N": spelled(Decimal(text))}
    except (NotAValue, InvalidOperation):
        return value


def key_names(changes: Iterable[Change]) -> list[str]:
    """The names of the key attributes of the first change, for messages; values stay unseen."""
    for change in changes:
        return sorted(orjson.loads(change.key))
    return []
