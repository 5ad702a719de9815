"""JMESPath's functions over DynamoDB's types."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.transform.expression import Expression, ExpressionFailed
from kcl_processor.transform.values import dynamo
from tests.transform.given import decimals

ITEM: dict[str, Any] = {
    "total": {"N": "-10.5"},
    "blob": {"B": "AAE="},
    "tags": {"SS": ["b", "a"]},
    "sizes": {"NS": ["10", "9"]},
    "flags": {"L": [{"BOOL": True}, {"S": "1"}]},
    "lines": {"L": [{"M": {"sku": {"S": "x"}, "n": {"N": "2"}}}, {"M": {"n": {"N": "1.10"}}}]},
}


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (Decimal("10.5"), "abs(total)"),
        (Decimal(-10), "ceil(total)"),
        (Decimal(-11), "floor(total)"),
        (Decimal("0.3"), "sum([`0.1`, `0.2`])"),
        (Decimal(0), "sum(`[]`)"),
        (Decimal("9.5"), "avg(sizes)"),
        (None, "avg(`[]`)"),
        (Decimal(2), "length(tags)"),
        (False, "contains(flags, `1`)"),
        (True, "contains(flags, `true`)"),
        (True, "contains('abc', 'b')"),
        (False, "contains('a1', `1`)"),
        (Decimal("0.1"), "to_number('0.1')"),
        (Decimal(-10), "to_number('-1e1')"),
        (Decimal("-10.5"), "to_number(total)"),
        (None, "to_number('nan')"),
        (None, "to_number('1_0')"),
        (None, "to_number(flags[0])"),
        ("-10.5", "to_string(total)"),
        ("AAE=", "to_string(blob)"),
        ('["AAE="]', "to_string([blob])"),
        ('[true,"1"]', "to_string(flags)"),
        ('[{"n":2,"sku":"x"},{"n":1.1}]', "to_string(lines)"),
        ('["a","b"]', "to_string(tags)"),
        ("null", "to_string(gone)"),
        ("number", "type(total)"),
        ("binary", "type(blob)"),
        ("array", "type(tags)"),
        ("boolean", "type(flags[0])"),
        ("null", "type(gone)"),
        ([Decimal("1.10"), Decimal(2)], "sort(lines[].n)"),
        (["b", "a"], "reverse(tags)"),
        ({"n": Decimal("1.10"), "sku": "x"}, "merge(lines[0], lines[1])"),
        ([Decimal(2), Decimal("1.10")], "map(&n, lines)"),
    ],
)
def test_a_function_takes_dynamodbs_types(expected: Any, text: str) -> None:
    """And gives them."""
    found = Expression(text).value(ITEM)
    assert (type(found), found) == (type(expected), expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("length(total)", "length() takes string or array or object, and was given number"),
        ("abs(blob)", "abs() takes number, and was given binary"),
        ("sum(tags)", "sum() takes array-number, and was given string"),
        ("join('', sizes)", "join() takes array-string, and was given number"),
        ("starts_with(gone, 'a')", "starts_with() takes string, and was given null"),
        ("sort_by(lines, &sku)", "sort_by() takes string, and was given null"),
        (
            "max(lines[].[n, sku][])",
            "max() takes array-number or array-string, and was given string",
        ),
        ("avg([`1`, `1`, `2`])", "avg() of numbers that have none of 38 digits"),
        ("to_number('1e999')", "a number out of the range of 1E-130 to 9.9E+125"),
    ],
)
def test_what_a_function_does_not_take_is_told_by_its_type(text: str, said: str) -> None:
    """Not by its value: the message goes to a log, and so do the errors behind it."""
    with pytest.raises(ExpressionFailed) as failed:
        Expression(text).value(ITEM)
    assert said == str(failed.value)
    assert failed.value.__suppress_context__ and failed.value.__cause__ is None


@given(st.lists(decimals, min_size=1))
def test_nothing_is_rounded(numbers: list[Decimal]) -> None:
    """Sums are exact, however far apart the numbers are; order and sign are to the last digit."""
    image = {"a": dynamo(numbers)}

    def found(text: str) -> Any:
        return Expression(text).value(image)

    assert Fraction(found("sum(a)")) == sum(map(Fraction, numbers))
    assert found("sort(a)") == sorted(numbers)
    assert found("max(a)") == max(numbers) and found("min(a)") == min(numbers)
    assert found("abs(a[0])") == numbers[0].copy_abs()
    assert found("floor(a[0])") <= numbers[0] <= found("ceil(a[0])")
    assert found("to_number(to_string(a[0]))") == numbers[0]
