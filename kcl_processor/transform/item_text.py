"""An item as a person writes it down: in DynamoDB's JSON, or in plain JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from kcl_processor.transform.transform import Image
from kcl_processor.transform.values import NotAValue, dynamo, image_of, plain

# What a value's type holds in JSON.
_KINDS: dict[str, type[Any]] = {
    "S": str,
    "N": str,
    "B": str,
    "BOOL": bool,
    "NULL": bool,
    "SS": list,
    "NS": list,
    "BS": list,
    "L": list,
    "M": dict,
}
# What `aws dynamodb get-item` prints has the item under this.
_ANSWER = "Item"


def read_item(text: str) -> Image:
    """An item from its JSON, numbers exactly.

    It is DynamoDB's if every attribute says its type, as in ``{"pk": {"S": "a"}}``.

    Raises:
        ValueError: it is neither; says why, and no more of it than a name.
    """
    try:
        found = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    if isinstance(found, dict) and _ANSWER in found and _is_typed(found[_ANSWER]):
        found = found[_ANSWER]
    if not isinstance(found, dict) or not found:
        raise ValueError("it is no JSON object with attributes in it")
    return image_from(found) if _is_typed(found) else _of_plain(found)


def image_from(typed: Mapping[str, Any]) -> Image:
    """An item in DynamoDB's JSON, checked, and its numbers in DynamoDB's spelling.

    Raises:
        ValueError: a value is not of the type that it says.
    """
    image = {}
    for name, value in typed.items():
        try:
            if not _is_value(value):
                raise ValueError
            image[name] = dynamo(plain(value))
        except (ArithmeticError, ValueError, NotAValue):
            raise ValueError(f"the value of {name!r} is not of the type that it says") from None
    return image


def _of_plain(item: Mapping[str, Any]) -> Image:
    try:
        return image_of(item)
    except NotAValue as refused:
        raise ValueError(f"it is no item: {refused}") from None


def _is_value(value: Any) -> bool:
    """Whether it has the form of one, all the way down."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((kind, content),) = value.items()
    if kind not in _KINDS or not isinstance(content, _KINDS[kind]):
        return False
    if kind == "L":
        return all(map(_is_value, content))
    if kind == "M":
        return all(map(_is_value, content.values()))
    if kind in ("SS", "NS", "BS"):
        return bool(content) and all(isinstance(member, str) for member in content)
    return kind != "NULL" or content is True


def _is_typed(found: object) -> bool:
    return isinstance(found, dict) and all(
        isinstance(value, dict) and len(value) == 1 and value.keys() <= _KINDS.keys()
        for value in found.values()
    )
