"""JMESPath's text to its tree: numbers exactly, and what of an item it reads."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given

from kcl_processor.transform.expression import Expression
from kcl_processor.transform.jmes_grammar import field, parse, reads
from tests.transform.given import numbers


@given(numbers)
def test_a_literal_is_read_exactly(number: str) -> None:
    """As its text has it; also within a list."""
    assert Expression(f"`{number}`").value({}) == Decimal(number)
    assert Expression(f"`[{number}]`").value({}) == [Decimal(number)]


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (set(), "'us'"),
        ({"a"}, "a"),
        ({"a"}, "a.b.c[0]"),
        ({"a"}, "a | b"),
        ({"a"}, "@.a"),
        ({"a"}, "@ | a"),
        ({"a", "b"}, "a && b"),
        ({"a", "b"}, "join('#', [a, b])"),
        ({"a", "b"}, "{x: a, y: b.c}"),
        ({"a", "b"}, "a[?c == d].e || !b"),
        ({"a"}, "sort_by(a, &b)[].c"),
        ({"a"}, "a.*.b"),
        ({"a"}, "a.length(@)"),
        ({"a"}, "a[*].keys(@)"),
        ({"a b"}, '"a b"'),
        (None, "@"),
        (None, "*"),
        (None, "keys(@)"),
        (None, "a || @"),
        (None, "(a || @) | b"),
        (None, "values(@)[0]"),
        (None, "map(&a, [@])"),
    ],
)
def test_an_expression_tells_what_it_reads(expected: set[str] | None, text: str) -> None:
    """The item's own attributes; or that it may be any."""
    assert expected == reads(parse(text))


def test_a_plain_attribute_is_told() -> None:
    """A key that is only renamed by it can be traced back."""
    assert field(parse(' "a b" ')) == "a b"
    assert [field(parse(text)) for text in ("a.b", "a || b", "'a'", "@")] == [None] * 4
