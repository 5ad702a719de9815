"""A rule in Python: a function of a change, found by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ItemChange:
    """What a rule in Python is given; items as boto3's tables give them.

    Attributes:
        keys: the source's key.
        new: the item after the other rules; ``None`` if it was deleted.
        old: the item before the change, after the other rules; ``None`` if there was none that they
            let through, and where a table is read, not a stream.
        event: ``INSERT``, ``MODIFY`` or ``REMOVE``; ``None`` where a table is read.
        expired: whether DynamoDB's time to live deleted it.
        sequence_number: of the stream's record; ``None`` where a table is read.
        created: seconds since the epoch; ``None`` where a table is read.
    """

    keys: Mapping[str, Any]
    new: Mapping[str, Any] | None
    old: Mapping[str, Any] | None = None
    event: str | None = None
    expired: bool = False
    sequence_number: str | None = None
    created: float | None = None


Function = Callable[[ItemChange], "Mapping[str, Any] | None"]


def find(name: str) -> Function:
    """The function of ``module:function``.

    Raises:
        ConfigError: it cannot be imported, or is no function; says where Python looked.
    """
    raise NotImplementedError


def source_of(name: str) -> bytes:
    """The text of the module that a function is in, by which a change of it is noticed.

    Raises:
        ConfigError: as :func:`find`.
    """
    raise NotImplementedError
