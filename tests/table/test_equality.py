"""DynamoDB's equality of items."""

from __future__ import annotations

import base64
import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.table.equality import differing


def image(**attributes: Any) -> bytes:
    """An item as DynamoDB JSON."""
    return orjson.dumps(attributes)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"N": "1"}, {"N": "1.0"}),
        ({"N": "100"}, {"N": "1E+2"}),
        ({"N": "0"}, {"N": "-0"}),
        ({"NS": ["1", "2"]}, {"NS": ["2.0", "1"]}),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"BS": ["AA==", "AQ=="]}, {"BS": ["AQ==", "AA=="]}),
        ({"L": [{"M": {"x": {"SS": ["a", "b"]}}}]}, {"L": [{"M": {"x": {"SS": ["b", "a"]}}}]}),
    ],
)
def test_equal_whatever_the_text(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Sets have no order, and numbers are equal by value."""
    assert differing(image(a=ours), image(a=theirs)) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"N": "1"}, {"S": "1"}),
        ({"N": "1"}, {"N": "1.00000000000000000000000000000000001"}),
        ({"L": [{"N": "1"}, {"N": "2"}]}, {"L": [{"N": "2"}, {"N": "1"}]}),
        ({"SS": ["1"]}, {"NS": ["1"]}),
        ({"S": ""}, {"NULL": True}),
        ({"M": {}}, {"L": []}),
        ({"B": "AA=="}, {"B": "AQ=="}),
        ({"BOOL": True}, {"BOOL": False}),
        ({"M": {"x": {"N": "1"}}}, {"M": {"x": {"N": "1"}, "y": {"N": "1"}}}),
    ],
)
def test_different_in_type_order_or_value(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Lists have an order, and equal text of another type is another value."""
    assert differing(image(a=ours, b={"S": "x"}), image(a=theirs, b={"S": "x"})) == ["a"]


def test_an_attribute_of_one_side_differs() -> None:
    """Names are told, sorted, from both sides."""
    ours = image(pk={"S": "1"}, z={"N": "1"}, same={"S": ""})
    theirs = image(pk={"S": "1"}, a={"NULL": True}, same={"S": ""})
    assert differing(ours, theirs) == ["a", "z"]


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False).map(str)
BINARIES = st.binary().map(lambda value: base64.b64encode(value).decode())


def sets(members: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """A DynamoDB set of these."""
    return st.lists(members, min_size=1, max_size=4, unique=True)


SCALARS = st.one_of(
    st.text().map(lambda value: {"S": value}),
    NUMBERS.map(lambda value: {"N": value}),
    BINARIES.map(lambda value: {"B": value}),
    st.booleans().map(lambda value: {"BOOL": value}),
    sets(st.text()).map(lambda value: {"SS": value}),
    sets(NUMBERS).map(lambda value: {"NS": value}),
    sets(BINARIES).map(lambda value: {"BS": value}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda value: {"L": value}),
        st.dictionaries(st.text(), inner, max_size=3).map(lambda value: {"M": value}),
    ),
    max_leaves=10,
)
ITEMS = st.dictionaries(st.text(min_size=1), VALUES, max_size=5)


def shuffled(value: Any, dice: random.Random) -> Any:
    """The value with its sets and the names of its maps in another order."""
    if isinstance(value, dict):
        names = list(value)
        dice.shuffle(names)
        return {
            name: dice.sample(value[name], len(value[name]))
            if name in ("SS", "NS", "BS") and isinstance(value[name], list)
            else shuffled(value[name], dice)
            for name in names
        }
    return [shuffled(member, dice) for member in value] if isinstance(value, list) else value


@given(ITEMS, st.randoms(use_true_random=False))
def test_order_of_names_and_sets_never_matters(item: dict[str, Any], dice: random.Random) -> None:
    """Any item equals itself in any order."""
    assert differing(orjson.dumps(item), orjson.dumps(shuffled(item, dice))) == []


def test_an_attribute_may_be_called_like_a_type() -> None:
    """`SS` is a name there, and its value no set."""
    ours, theirs = b'{"SS":{"S":"x"}}', b'{"SS":{"S":"y"}}'
    assert differing(ours, ours) == [] and differing(ours, theirs) == ["SS"]
