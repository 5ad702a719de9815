"""JMESPath's text to its tree.

The ``jmespath`` library reads it; what it would let through, or read inexactly, is seen to here:
numbers, the names of functions, and how many arguments they take.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from jmespath import exceptions
from jmespath.lexer import Lexer
from jmespath.parser import ParsedResult, Parser

from kcl_processor.transform.jmes_functions import Functions
from kcl_processor.transform.values import NotAValue, spelled

# ``{"type": …, "children": […], "value": …}``, as ``jmespath.ast`` makes it.
Node = dict[str, Any]

# Nodes that hand a value from child to child, and those whose first child alone sees the root: the
# others see the elements of what it came to.
_CHAINS = frozenset(["subexpression", "pipe", "index_expression"])
_OVER_ELEMENTS = frozenset(["filter_projection", "projection", "value_projection"])
# Nodes that are the root itself, where that is what they see.
_ROOT = frozenset(["current", "identity"])
# Nodes that read of the root what their children read.
_SUMS = frozenset(
    [
        "and_expression",
        "comparator",
        "flatten",
        "function_expression",
        "key_val_pair",
        "multi_select_dict",
        "multi_select_list",
        "not_expression",
        "or_expression",
    ]
)
# Nodes that read nothing of the root, which is a map, or see the elements of a list.
_BLIND = frozenset(["expref", "index", "literal", "slice"])


class Refused(exceptions.ParseError):  # type: ignore[misc]
    """What the library would let through, or tell in its own terms; the message is for people."""


def parse(text: str) -> Node:
    """The tree of an expression.

    Raises:
        jmespath.exceptions.JMESPathError: it is none; of most kinds it tells where.
    """
    node: Node = _Parser().tree(text)
    _refuse_loose_references(node)
    return node


def field(node: Node) -> str | None:
    """The attribute that a tree is and nothing more, if it is one."""
    return str(node["value"]) if node["type"] == "field" else None


def reads(node: Node) -> frozenset[str] | None:
    """The root's attributes that a tree reads; ``None`` if that may be any."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return frozenset([node["value"]])
    if kind in _CHAINS:
        # What follows sees what came before it, which is the root's as long as that is handed on.
        seen = next((child for child in children if child["type"] not in _ROOT), None)
        return None if seen is None else reads(seen)
    if kind in _OVER_ELEMENTS:
        return reads(children[0])
    if kind in _SUMS:
        return _union(map(reads, children))
    return frozenset() if kind in _BLIND else None


def _union(parts: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    names: set[str] = set()
    for part in parts:
        if part is None:
            return None
        names |= part
    return frozenset(names)


class _Lexer(Lexer):  # type: ignore[misc]
    """The library's, but for numbers, which are floats there."""

    def _consume_literal(self) -> dict[str, Any]:
        start = self._position
        lexeme = self._consume_until("`").replace("\\`", "`")
        return {
            "type": "literal",
            "value": self._literal(lexeme, start),
            "start": start,
            "end": self._position - start,
        }

    def _literal(self, lexeme: str, start: int) -> Any:
        # As the library has it, a literal that is not JSON is a text: `draft` is "draft".
        for text in (lexeme, f'"{lexeme.lstrip()}"'):
            try:
                return json.loads(
                    text, parse_float=_number, parse_int=_number, parse_constant=_refuse_constant
                )
            except NotAValue as refused:
                raise exceptions.LexerError(start, lexeme, f"a literal is {refused}") from None
            except ValueError:
                continue
        raise exceptions.LexerError(start, lexeme, f"`{lexeme}` is no literal")


def _number(text: str) -> Decimal:
    return Decimal(spelled(Decimal(text)))


def _refuse_constant(text: str) -> Any:
    """JSON has no NaN and no Infinity, though Python's reads them."""
    raise ValueError(text)


class _Parser(Parser):  # type: ignore[misc]
    """The library's, with the lexer above; it looks at functions, which the library does only when
    it comes to call them."""

    def tree(self, text: str) -> Node:
        """Past the library's cache, which holds what its own parser made of a text."""
        return self._do_parse(text).parsed  # type: ignore[no-any-return]

    def _parse(self, expression: str) -> Any:
        self._tokens = list(_Lexer().tokenize(expression))
        self._index = 0
        parsed = self._expression(binding_power=0)
        token = self._lookahead_token(0)
        if token["type"] == "number":
            raise _at(token, "a number stands between backticks")
        if token["type"] != "eof":
            raise _at(token, "the expression has ended before this")
        return ParsedResult(expression, parsed)

    def _token_nud_number(self, token: dict[str, Any]) -> Node:
        raise _at(token, "a number stands between backticks")

    def _token_nud_expref(self, token: dict[str, Any]) -> Node:
        return {**super()._token_nud_expref(token), "token": token}

    def _token_led_lparen(self, left: Node) -> Node:
        token = self._lookahead_token(-2)
        node: Node = super()._token_led_lparen(left)
        _check_call(token, node)
        return node

    def _parse_slice_expression(self) -> Node:
        token = self._lookahead_token(0)
        node: Node = super()._parse_slice_expression()
        if node["children"][2] == 0:
            raise _at(token, "a slice's step is not 0")
        return node


def _at(token: dict[str, Any], reason: str) -> Refused:
    return Refused(token["start"], token["value"], token["type"], reason)


def _check_call(token: dict[str, Any], node: Node) -> None:
    name, given = node["value"], node["children"]
    function = Functions.FUNCTION_TABLE.get(name)
    if function is None:
        raise _at(token, f"there is no function {name}()")
    takes = function["signature"]
    is_variadic = takes[-1].get("variadic", False)
    if len(given) < len(takes) or (len(given) > len(takes) and not is_variadic):
        least = "at least " if is_variadic else ""
        wanted = f"{least}{len(takes)} argument{'s' if len(takes) > 1 else ''}"
        raise _at(token, f"{name}() takes {wanted}, not {len(given)}")
    for argument, takes_types in zip(given, takes, strict=False):
        if takes_types["types"] == ["expref"] and argument["type"] != "expref":
            raise _at(token, f"{name}() takes an expression with & before it")


def _refuse_loose_references(node: Node) -> None:
    """An ``&`` where no function takes one: it stands for no value."""
    kinds: list[list[str]] = []
    if node["type"] == "function_expression":
        kinds = [part["types"] for part in Functions.FUNCTION_TABLE[node["value"]]["signature"]]
    for place, child in enumerate(node["children"]):
        is_taken = place < len(kinds) and "expref" in kinds[place]
        if isinstance(child, dict):
            if child["type"] == "expref" and not is_taken:
                raise _at(child["token"], "an expression with & is taken by some functions alone")
            _refuse_loose_references(child)
