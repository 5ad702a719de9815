"""When two images are the same item: DynamoDB's equality, and not that of their texts.

Sets have no order, numbers are equal by value, binaries by their bytes.
"""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import orjson


def differing(source: bytes, destination: bytes) -> list[str]:
    """The names of the attributes in which two images differ, sorted; empty when they are equal.

    Args:
        source, destination: items as DynamoDB JSON.
    """
    if source == destination:
        return []
    ours, theirs = orjson.loads(source), orjson.loads(destination)
    return sorted(
        name for name in ours.keys() | theirs.keys() if not _same(ours.get(name), theirs.get(name))
    )


def same(source: bytes | None, destination: bytes | None) -> bool:
    """Whether two images are the same item; ``None`` is no item."""
    if source is None or destination is None:
        return source is destination
    return not differing(source, destination)


def _same(ours: dict[str, Any] | None, theirs: dict[str, Any] | None) -> bool:
    if ours == theirs:
        return True
    return ours is not None and theirs is not None and _normal(ours) == _normal(theirs)


def _normal(value: dict[str, Any]) -> tuple[str, Any]:
    """A value as something whose ``==`` is DynamoDB's."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return kind, Decimal(content)
        case "B":
            return kind, base64.b64decode(content)
        case "SS":
            return kind, frozenset(content)
        case "NS":
            return kind, frozenset(map(Decimal, content))
        case "BS":
            return kind, frozenset(map(base64.b64decode, content))
        case "L":
            return kind, [_normal(member) for member in content]
        case "M":
            return kind, {name: _normal(member) for name, member in content.items()}
        case _:
            return kind, content
