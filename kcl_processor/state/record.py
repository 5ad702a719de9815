"""What was written as a record and is read again, and may be anything by then."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

# To find these out takes longer than all else that is done to read a record.
_hints: Callable[[type], dict[str, Any]] = functools.cache(get_type_hints)


def as_written(kind: type[T], fields: Any) -> T:
    """A record of fields as they were read.

    Raises:
        TypeError: one is not of its type, or is none of the record's.
    """
    record = kind(**fields)
    for name, wanted in _hints(kind).items():
        if not _is(getattr(record, name), wanted):
            raise TypeError(f"{name} is no {wanted}")
    return record


def _is(value: object, wanted: Any) -> bool:
    """Whether a value is of a type, or one of several; a whole number is a number."""
    of = get_args(wanted)
    if isinstance(wanted, UnionType):
        return any(_is(value, one) for one in of)
    kind = get_origin(wanted) or wanted
    if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
        return False
    if not of or not isinstance(value, dict | list):
        return True
    members = value.values() if isinstance(value, dict) else value
    return all(_is(one, of[-1]) for one in members)
