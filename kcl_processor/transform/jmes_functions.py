"""JMESPath's functions over DynamoDB's types. They are the ``jmespath`` library's, but for those
that would round a number, write one as a text, or take true for 1."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, Inexact
from typing import Any

from jmespath.functions import Functions as _Functions
from jmespath.functions import signature

from kcl_processor.transform.values import DIGITS, NotAValue, equal, spelled

# Python's types to JMESPath's, which knows no binaries.
TYPES = {
    "Decimal": "number",
    "Members": "array",
    "NoneType": "null",
    "bool": "boolean",
    "bytes": "binary",
    "dict": "object",
    "list": "array",
    "str": "string",
    "_Expression": "expression",
}

# From the greatest number to the least are 256 digits, and an item holds 400 KB of them.
_EXACT = Context(prec=300, traps=[Inexact])
_OF_38_DIGITS = Context(prec=DIGITS, traps=[Inexact])
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Functions(_Functions):  # type: ignore[misc]
    """All of JMESPath's."""

    @signature({"types": ["number"]})  # type: ignore[untyped-decorator]
    def _func_abs(self, number: Decimal) -> Decimal:
        return number.copy_abs()

    @signature({"types": ["number"]})  # type: ignore[untyped-decorator]
    def _func_ceil(self, number: Decimal) -> Decimal:
        return number.to_integral_value(ROUND_CEILING, _EXACT)

    @signature({"types": ["number"]})  # type: ignore[untyped-decorator]
    def _func_floor(self, number: Decimal) -> Decimal:
        return number.to_integral_value(ROUND_FLOOR, _EXACT)

    @signature({"types": ["array-number"]})  # type: ignore[untyped-decorator]
    def _func_sum(self, numbers: list[Decimal]) -> Decimal:
        return _sum(numbers)

    @signature({"types": ["array-number"]})  # type: ignore[untyped-decorator]
    def _func_avg(self, numbers: list[Decimal]) -> Decimal | None:
        if not numbers:
            return None
        try:
            return _OF_38_DIGITS.divide(_sum(numbers), Decimal(len(numbers)))
        except Inexact:
            raise NotAValue(f"avg() of numbers that have none of {DIGITS} digits") from None

    @signature({"types": ["string", "array", "object"]})  # type: ignore[untyped-decorator]
    def _func_length(self, value: Any) -> Decimal:
        return Decimal(len(value))

    @signature({"types": ["array", "string"]}, {"types": []})  # type: ignore[untyped-decorator]
    def _func_contains(self, subject: Any, search: Any) -> bool:
        if isinstance(subject, str):
            return isinstance(search, str) and search in subject
        return any(equal(member, search) for member in subject)

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_number(self, value: Any) -> Decimal | None:
        if isinstance(value, Decimal):
            return value
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            return Decimal(spelled(Decimal(value)))
        return None

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_string(self, value: Any) -> str:
        return value if isinstance(value, str) else _json(value)

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_type(self, value: Any) -> str:
        return TYPES[type(value).__name__]

    def _get_allowed_pytypes(self, types: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
        allowed, members = super()._get_allowed_pytypes(types)
        return _with_ours(allowed), [tuple(_with_ours(kinds)) for kinds in members]

    def _convert_to_jmespath_type(self, pyobject: str) -> str:
        return TYPES.get(pyobject, pyobject)


def _with_ours(names: Iterable[str]) -> list[str]:
    added = {"list": ["Members"], "int": ["Decimal"]}
    return [name for known in names for name in (known, *added.get(known, ()))]


def _sum(numbers: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = _EXACT.add(total, number)
    return total


def _json(value: Any) -> str:
    match value:
        case Decimal():
            return spelled(value)
        case bytes():
            # A binary is so in DynamoDB's own JSON.
            return base64.b64encode(value).decode()
        case list():
            return f"[{','.join(map(_within, value))}]"
        case dict():
            pairs = (f"{json.dumps(name)}:{_within(member)}" for name, member in value.items())
            return f"{{{','.join(pairs)}}}"
        case _:
            return json.dumps(value)


def _within(value: Any) -> str:
    return json.dumps(_json(value)) if isinstance(value, bytes) else _json(value)
