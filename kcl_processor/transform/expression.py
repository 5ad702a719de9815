"""JMESPath over an item in DynamoDB's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kcl_processor.transform.values import Value


class ExpressionError(ValueError):
    """It is no JMESPath.

    Attributes:
        reason: what is wrong, in words.
        column: where in the expression, from 1.
    """

    def __init__(self, reason: str, column: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


class ExpressionFailed(Exception):
    """It cannot be worked out for an item. The message names functions and types, no values."""


class Expression:
    """A compiled expression.

    Attributes:
        attributes: the item's attributes that it reads; ``None`` if that may be any.

    Raises:
        ExpressionError: it cannot be compiled.
    """

    attributes: frozenset[str] | None

    def __init__(self, text: str) -> None:
        raise NotImplementedError

    def value(self, image: Mapping[str, Value]) -> Any:
        """What it comes to for an item, as :func:`values.plain` has it; ``None`` for nothing.

        Raises:
            ExpressionFailed: a function was given what it does not take.
        """
        raise NotImplementedError

    def holds(self, image: Mapping[str, Value]) -> bool:
        """Whether it is true for an item in JMESPath's sense: not null, false or empty.

        Raises:
            ExpressionFailed: as :meth:`value`.
        """
        raise NotImplementedError
