"""DynamoDB's JSON as plain Python, and back, with nothing lost on the way.

A number is a :class:`decimal.Decimal` of up to 38 digits, and goes back in the spelling that
DynamoDB has for it, since a key is compared by its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# An attribute's value as DynamoDB has it: ``{"S": "a"}``.
Value = dict[str, Any]


class NotAValue(Exception):
    """What a rule came to is nothing that an item can hold. The message names types, not values."""


def plain(value: Value) -> Any:
    """A value as expressions see it.

    S is str, N Decimal, B bytes, BOOL bool, NULL None, L list, M dict. A set is a
    :class:`Members`, a list in which order does not count, so that JMESPath can look into it.
    """
    raise NotImplementedError


def dynamo(value: Any) -> Value:
    """Plain Python as DynamoDB has it: the inverse of :func:`plain` and :func:`item_of`.

    Raises:
        NotAValue: it is of no type that an item can hold; floats are none, for they are inexact.
    """
    raise NotImplementedError


def item_of(image: Mapping[str, Value]) -> dict[str, Any]:
    """An item as a rule in Python sees it, and as boto3's tables give it: sets are ``set``,
    binaries :class:`boto3.dynamodb.types.Binary`."""
    raise NotImplementedError
