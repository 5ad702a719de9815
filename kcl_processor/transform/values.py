"""DynamoDB's JSON as plain Python, and back, with nothing lost on the way.

A number is a :class:`decimal.Decimal` of up to 38 digits, and goes back in the spelling that
DynamoDB has for it, since a key is compared by its bytes.

DynamoDB promises no order of a map's attributes and of a set's members, so a stream and a scan may
tell one item in two orders. Here both are sorted: what is made of an item is the same either way.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Set
from decimal import Decimal
from functools import cache
from typing import Any

# An attribute's value as DynamoDB has it: ``{"S": "a"}``.
Value = dict[str, Any]

# What DynamoDB's numbers hold (developer guide, "Data types"): 38 digits, and a magnitude of
# 1E-130 up to 9.99…E+125.
DIGITS = 38
_LEAST, _GREATEST = -130, 125
# Lists and maps within each other that can be written as JSON: orjson's limit is 254, and each of
# them is two there. DynamoDB takes 32, and says itself of which items it does not.
_DEEPEST = 100


class NotAValue(Exception):
    """What a rule came to is nothing that an item can hold. The message names types, not values."""


class Members(list[Any]):
    """A set as JMESPath sees it: a list, sorted, in which order does not count.

    Args:
        kind: SS, NS or BS.
    """

    def __init__(self, kind: str, members: Iterable[Any]) -> None:
        super().__init__(sorted(members))
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list) and _same_members(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


def plain(value: Value) -> Any:
    """A value as expressions see it.

    S is str, N Decimal, B bytes, BOOL bool, NULL None, L list, M dict. A set is a
    :class:`Members`, a list in which order does not count, so that JMESPath can look into it.
    """
    ((kind, content),) = value.items()
    if kind in ("S", "BOOL"):
        return content
    return _PLAIN[kind](content)


def dynamo(value: Any, depth: int = 0) -> Value:
    """Plain Python as DynamoDB has it: the inverse of :func:`plain` and :func:`item_of`.

    Args:
        depth: lists and maps that it lies in.

    Raises:
        NotAValue: it is of no type that an item can hold; floats are none, for they are inexact.
    """
    if depth > _DEEPEST:
        raise NotAValue(f"lists and maps within each other, more than {_DEEPEST} deep")
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": _text(value)}
        case Decimal() | int():
            return {"N": spelled(value)}
        case bytes() | bytearray():
            return {"B": _base64(value)}
        case Members():
            return {value.kind: _members(value.kind, value)}
        case list() | tuple():
            return {"L": [dynamo(member, depth + 1) for member in value]}
        case Mapping():
            inner = {_name(name): dynamo(member, depth + 1) for name, member in value.items()}
            return {"M": inner}
        case Set():
            kind = _kind_of(value)
            return {kind: _members(kind, value)}
        case float():
            raise NotAValue("a float is inexact; a number is a Decimal or an int")
    if isinstance(value, _binary()):
        return {"B": _base64(value)}
    raise NotAValue(f"an item can hold no {type(value).__name__}")


def item_of(image: Mapping[str, Value]) -> dict[str, Any]:
    """An item as a rule in Python sees it, and as boto3's tables give it: sets are ``set``,
    binaries :class:`boto3.dynamodb.types.Binary`."""
    return {name: _boto(image[name]) for name in sorted(image)}


def image_of(item: Mapping[str, Any]) -> dict[str, Value]:
    """The inverse of :func:`item_of`.

    Raises:
        NotAValue: as :func:`dynamo`; or a name is no text.
    """
    return {_name(name): dynamo(value) for name, value in item.items()}


def spelled(number: Decimal | int) -> str:
    """A number in DynamoDB's spelling: no exponent, no zeros that say nothing.

    Raises:
        NotAValue: DynamoDB's numbers do not hold it.
    """
    exact = Decimal(number)
    if not exact.is_finite():
        raise NotAValue("a number that is infinite, or none")
    if not exact:
        return "0"
    if not _LEAST <= exact.adjusted() <= _GREATEST:
        raise NotAValue("a number out of the range of 1E-130 to 9.9E+125")
    text = format(exact, "f")
    if "." in text:
        text = text.rstrip("0").removesuffix(".")
    if len(text) > DIGITS and len(text.lstrip("-").replace(".", "").strip("0")) > DIGITS:
        raise NotAValue(f"a number of more than {DIGITS} digits")
    return text


def equal(ours: Any, theirs: Any) -> bool:
    """Whether two values are one, as :func:`plain` has them: true is not 1, deep down neither."""
    if isinstance(ours, Members) or isinstance(theirs, Members):
        return bool(ours == theirs)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(equal, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(equal(ours[n], theirs[n]) for n in ours)
    return type(ours) is type(theirs) and bool(ours == theirs)


def _same_members(ours: list[Any], theirs: list[Any]) -> bool:
    if len(ours) != len(theirs):
        return False
    # With their types: to Python, true is 1. What is in no set may not be hashable.
    if any(type(member) not in (str, Decimal, bytes) for member in theirs):
        return False
    return {(type(m), m) for m in ours} == {(type(m), m) for m in theirs}


def _plain_map(content: Mapping[str, Value]) -> dict[str, Any]:
    return {name: plain(content[name]) for name in sorted(content)}


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "N": Decimal,
    "M": _plain_map,
    "L": lambda content: [plain(member) for member in content],
    "NULL": lambda _: None,
    "B": base64.b64decode,
    "SS": lambda content: Members("SS", content),
    "NS": lambda content: Members("NS", map(Decimal, content)),
    "BS": lambda content: Members("BS", map(base64.b64decode, content)),
}


def _boto(value: Value) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return _binary()(base64.b64decode(content))
        case "BS":
            return {_binary()(base64.b64decode(member)) for member in content}
        case "SS" | "NS":
            return set(plain(value))
        case "L":
            return [_boto(member) for member in content]
        case "M":
            return item_of(content)
        case _:
            return plain(value)


def _members(kind: str, members: Iterable[Any]) -> list[str]:
    if kind == "NS":
        return sorted(map(spelled, members), key=Decimal)
    if kind == "BS":
        return [_base64(member) for member in sorted(map(bytes, members))]
    return [_text(member) for member in sorted(members)]


def _kind_of(members: Set[Any]) -> str:
    if not members:
        raise NotAValue("an item can hold no empty set")
    kinds = {_KINDS.get(type(member)) or _kind_of_other(member) for member in members}
    if len(kinds) == 1 and (kind := kinds.pop()):
        return kind
    raise NotAValue("a set holds texts, numbers or binaries, and one of the three alone")


# The set that a type of member makes. Of bool none: it is an int to Python alone.
_KINDS = {str: "SS", Decimal: "NS", int: "NS", bytes: "BS"}


def _kind_of_other(member: Any) -> str:
    if isinstance(member, str):
        return "SS"
    return "BS" if isinstance(member, _binary()) else ""


@cache
def _binary() -> type[Any]:
    """boto3's type for binaries. boto3 takes longer to import than all else that a child of the
    KCL needs, and only a rule in Python meets it."""
    from boto3.dynamodb.types import Binary

    return Binary  # type: ignore[no-any-return]


def _text(text: str) -> str:
    """The text itself; of what is more than a text, such as an enumeration's member, its value."""
    if type(text) is not str:
        text = str.__str__(text)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise NotAValue("a text with half of a surrogate pair") from None
    return text


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise NotAValue("an attribute's name is a text that is not empty")
    return _text(name)


def _base64(value: Any) -> str:
    return base64.b64encode(bytes(value)).decode()
