"""JMESPath over an item in DynamoDB's JSON.

It is the ``jmespath`` library's, which the AWS command line has, too, but for what it would do to
DynamoDB's types: numbers are exact, true is not 1, sets are lists in which order does not count.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from jmespath import exceptions
from jmespath.visitor import Options, TreeInterpreter

from kcl_processor.transform.jmes_functions import TYPES, Functions
from kcl_processor.transform.jmes_grammar import Node, Refused, field, parse, reads
from kcl_processor.transform.values import NotAValue, Value, equal, plain

_ORDERS = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


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
        field: the attribute that it is and nothing more, if it is one.

    Raises:
        ExpressionError: it cannot be compiled.
    """

    attributes: frozenset[str] | None
    field: str | None

    def __init__(self, text: str) -> None:
        self._tree = _compiled(text)
        self.attributes = reads(self._tree)
        self.field = field(self._tree)

    def value(self, image: Mapping[str, Value]) -> Any:
        """What it comes to for an item, as :func:`values.plain` has it; ``None`` for nothing.

        Raises:
            ExpressionFailed: a function was given what it does not take.
        """
        with _failing():
            return _INTERPRETER.visit(self._tree, self._read(image))

    def holds(self, image: Mapping[str, Value]) -> bool:
        """Whether it is true for an item in JMESPath's sense: not null, false or empty.

        Raises:
            ExpressionFailed: as :meth:`value`.
        """
        return not _is_false(self.value(image))

    def _read(self, image: Mapping[str, Value]) -> dict[str, Any]:
        # Sorted where all of them are seen, for then their order is, too.
        names = sorted(image) if self.attributes is None else self.attributes
        return {name: plain(image[name]) for name in names if name in image}


class _Interpreter(TreeInterpreter):  # type: ignore[misc]
    """The library's, with the equality and the order of DynamoDB's types."""

    def visit_comparator(self, node: Node, value: Any) -> bool | None:
        left, right = (self.visit(child, value) for child in node["children"])
        match node["value"]:
            case "eq":
                return equal(left, right)
            case "ne":
                return not equal(left, right)
            case order:
                # JMESPath orders numbers; as its library does, texts, too. All else is null.
                is_ordered = type(left) is type(right) and isinstance(left, Decimal | str)
                return bool(_ORDERS[order](left, right)) if is_ordered else None

    def visit_not_expression(self, node: Node, value: Any) -> bool:
        return _is_false(self.visit(node["children"][0], value))

    def _is_false(self, value: Any) -> bool:
        return _is_false(value)


_INTERPRETER = _Interpreter(Options(custom_functions=Functions()))


def _compiled(text: str) -> Node:
    try:
        return parse(text)
    except exceptions.EmptyExpressionError:
        raise ExpressionError("it is empty", 1) from None
    except exceptions.LexerError as error:
        raise ExpressionError(error.message, error.lexer_position + 1) from error
    except exceptions.IncompleteExpressionError as error:
        raise ExpressionError("it ends too early", len(text) + 1) from error
    except exceptions.ParseError as error:
        if error.token_type == "EOF":
            raise ExpressionError("it ends too early", len(text) + 1) from error
        token = repr(str(error.token_value))
        is_ours = isinstance(error, Refused)
        reason = f"{error.msg}, at {token}" if is_ours else f"{token} cannot stand there"
        raise ExpressionError(reason, error.lex_position + 1) from error
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"it cannot be read: {type(error).__name__}", 1) from error


@contextmanager
def _failing() -> Iterator[None]:
    """In the words of :class:`ExpressionFailed`."""
    try:
        yield
    except exceptions.JMESPathTypeError as error:
        takes, given = " or ".join(error.expected_types), error.actual_type
        raise ExpressionFailed(
            f"{error.function_name}() takes {takes}, and was given {TYPES.get(given, given)}"
        ) from None
    except NotAValue as refused:
        raise ExpressionFailed(str(refused)) from None
    except Exception as error:
        # Its message may quote the item; and so the chain of errors ends here, too.
        raise ExpressionFailed(f"it cannot be worked out: {type(error).__name__}") from None


def _is_false(value: Any) -> bool:
    return (
        value is None
        or value is False
        or (isinstance(value, str | bytes | list | dict) and not value)
    )
