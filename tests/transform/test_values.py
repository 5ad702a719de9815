"""DynamoDB's types as plain Python, and back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson
import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.transform.values import (
    Members,
    NotAValue,
    dynamo,
    equal,
    image_of,
    item_of,
    plain,
    spelled,
)
from tests.transform.given import decimals, images, numbers, sets, texts, values


def sorted_sets(value: Any) -> Any:
    """A value in which the order of a set's members says nothing."""
    if isinstance(value, Mapping):
        return {
            name: sorted(inner) if name in ("SS", "NS", "BS") else sorted_sets(inner)
            for name, inner in value.items()
        }
    return [sorted_sets(inner) for inner in value] if isinstance(value, list) else value


@given(values)
def test_a_value_that_a_rule_does_not_touch_goes_back_as_it_was(value: dict[str, Any]) -> None:
    """Of every type: JMESPath sees it, and DynamoDB gets it back."""
    assert sorted_sets(dynamo(plain(value))) == sorted_sets(value)


@given(st.dictionaries(st.sampled_from("abcde"), values))
def test_an_item_that_a_function_does_not_touch_goes_back_as_it_was(image: dict[str, Any]) -> None:
    """A rule in Python sees it."""
    assert sorted_sets(image_of(item_of(image))) == sorted_sets(image)


@given(images)
def test_a_function_sees_what_boto3_shows(image: dict[str, Any]) -> None:
    """Types and values: what works with a table of boto3's works here. On the wire a binary is in
    base64, which boto3's deserializer is given undone."""
    assert {name: boto(value) for name, value in image.items()} == item_of(image)


def boto(value: dict[str, Any]) -> Any:
    """As boto3's table gives it; which cannot read a number of more than 38 digits, the zeros at
    its end counted, though DynamoDB holds it."""
    ((kind, content),) = value.items()
    if kind == "B":
        return Binary(plain(value))
    if kind == "BS":
        return set(map(Binary, plain(value)))
    if kind in ("N", "NS"):
        return Decimal(content) if kind == "N" else set(map(Decimal, content))
    if kind == "L":
        return [boto(inner) for inner in content]
    if kind == "M":
        return {name: boto(inner) for name, inner in content.items()}
    return TypeDeserializer().deserialize(value)


@given(decimals)
def test_a_number_is_spelled_as_dynamodb_does(number: Decimal) -> None:
    """Digits and a point, nothing that could be left out; and it is the same number."""
    text = spelled(number)
    assert Decimal(text) == number
    assert "E" not in text and not text.startswith(("+", "00", "-00"))
    assert "." not in text or text[-1] not in "0."


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", Decimal("1.0")),
        ("-0.0000001", Decimal("-1E-7")),
        ("1000", Decimal("1E+3")),
        ("0", Decimal("-0.00")),
        ("0", Decimal("0E-400")),
        ("12.5", Decimal("0012.500")),
        ("1" + "0" * 125, 10**125),
        ("0." + "0" * 129 + "1", Decimal("1E-130")),
        ("-" + "9" * 38, -(10**38) + 1),
    ],
)
def test_one_number_has_one_spelling(text: str, number: Decimal | int) -> None:
    """However it was made."""
    assert text == spelled(number)


@pytest.mark.parametrize(
    "number",
    [
        10**38 + 1,
        Decimal("0." + "1" * 39),
        Decimal("1E126"),
        Decimal("-1E126"),
        Decimal("9E-131"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        10**4000,
        1.5,
        float("nan"),
    ],
)
def test_a_number_that_dynamodb_does_not_hold_is_refused(number: Any) -> None:
    """More than 38 digits, out of range, none at all, or inexact; in a set, too."""
    with pytest.raises(NotAValue):
        dynamo(number)
    with pytest.raises(NotAValue):
        dynamo({number})


@pytest.mark.parametrize(
    "value",
    [set(), {1, "a"}, {True}, {None}, {(1,)}, object(), {1: "a"}, {"": "a"}, "\ud800", {"a": 1j}],
)
def test_what_no_item_can_hold_is_refused(value: Any) -> None:
    """The message tells its type, and nothing of it."""
    with pytest.raises(NotAValue):
        dynamo(value)


def test_a_text_may_be_more_than_a_text() -> None:
    """As a member of an enumeration is; in an item it is the text alone, as what writes JSON
    takes no other name."""

    class Name(StrEnum):
        CITY = "city"

    made = image_of({Name.CITY: Name.CITY, "m": {Name.CITY: 1}, "s": {Name.CITY}})
    assert made == {"city": {"S": "city"}, "m": {"M": {"city": {"N": "1"}}}, "s": {"SS": ["city"]}}
    assert orjson.dumps(made)


def test_what_lies_too_deep_to_be_written_is_refused() -> None:
    """Deeper than any table takes; what is not as deep the table refuses, if it does."""
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    assert orjson.dumps(image_of({"m": deep}))
    for deeper in ([deep], {"m": deep}):
        with pytest.raises(NotAValue):
            image_of({"m": deeper})


def test_a_refusal_does_not_tell_the_value() -> None:
    """It goes to a log."""
    with pytest.raises(NotAValue) as refused:
        dynamo([{"card": complex(4111, 1)}])
    assert "4111" not in str(refused.value)
    assert "complex" in str(refused.value)


@given(sets)
def test_a_sets_order_does_not_count(value: dict[str, list[str]]) -> None:
    """A scan and a stream may tell it in two orders; what is made of it is the same."""
    ((kind, members),) = value.items()
    other = {kind: list(reversed(members))}
    assert list(plain(value)) == list(plain(other))
    assert dynamo(plain(value)) == dynamo(plain(other))
    assert dynamo(item_of({"a": value})["a"]) == dynamo(item_of({"a": other})["a"])


def test_a_maps_order_does_not_count() -> None:
    """No more than a set's."""
    assert list(plain({"M": {"b": {"S": "1"}, "a": {"S": "2"}}})) == ["a", "b"]


def test_a_set_equals_a_list_of_its_members() -> None:
    """In any order, each once, and of their own type."""
    tags = plain({"SS": ["b", "a"]})
    assert equal(tags, ["a", "b"]) and equal(["b", "a"], tags)
    assert tags != ["a"] and tags != ["a", "a"] and tags != "ab"
    assert not equal(plain({"NS": ["1"]}), [True])
    assert not equal(plain({"NS": ["1"]}), [[1]])
    assert equal(plain({"NS": ["1", "2"]}), Members("NS", [Decimal(2), Decimal("1.0")]))


@given(values, values)
def test_values_are_equal_as_dynamodb_has_it(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """By type and by value, deep down, too."""
    is_same = sorted_sets(ours) == sorted_sets(theirs)
    assert equal(plain(ours), plain(theirs)) == is_same
    assert equal([{"a": plain(ours)}], [{"a": plain(ours)}])


def test_true_is_not_one() -> None:
    """As it is to Python."""
    assert not equal(Decimal(1), plain({"BOOL": True})) and not equal([Decimal(0)], [False])
    assert not equal({"a": Decimal(1)}, {"a": True})


@given(numbers, numbers)
def test_numbers_are_compared_exactly(ours: str, theirs: str) -> None:
    """Up to the last of 38 digits."""
    assert equal(plain({"N": ours}), plain({"N": theirs})) == (ours == theirs)


@given(texts)
def test_binaries_of_a_function_may_be_pythons(text: str) -> None:
    """bytes, bytearray or boto3's Binary are one."""
    raw = text.encode()
    assert dynamo(raw) == dynamo(bytearray(raw)) == dynamo(Binary(raw))
    assert dynamo({raw}) == dynamo({Binary(raw)})
