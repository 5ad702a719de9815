"""A change and its key."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.replicate.change import canonical_key, key_names
from tests.fakes import put

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
VALUES = st.integers().map(lambda value: {"N": str(value)})


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=2))
def test_equal_keys_are_equal_bytes_whatever_their_order(key: dict[str, dict[str, str]]) -> None:
    """The order of attribute names in a record does not make another key."""
    assert canonical_key(key) == canonical_key(dict(reversed(key.items())))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        *(("1.50", "1.5"), ("1.0", "1"), ("+7", "7"), ("007", "7"), ("-0", "0"), ("1E+2", "100")),
        *(("1E-3", "0.001"), ("-1.20E1", "-12"), ("0", "0"), ("-5", "-5")),
        ("1" * 38 + ".0", "1" * 38),
    ],
)
def test_a_number_has_one_spelling_whatever_the_store_s(theirs: str, ours: str) -> None:
    """Two spellings in one request are one key for DynamoDB, which then refuses it."""
    assert canonical_key({"id": {"N": theirs}}) == canonical_key({"id": {"N": ours}})
    text = {"id": {"S": f'{{"N":"{theirs}"}}'}}
    assert orjson.loads(canonical_key(text)) == text


@pytest.mark.parametrize("value", [{"N": "much"}, {"N": 1}, {"N": "9E999"}, {"N": "1" * 39}, None])
def test_what_is_no_number_of_dynamodb_is_a_key_as_it_is(value: object) -> None:
    """The destination is to judge it."""
    key = {"id": value, "x": {"N": "1.0"}}
    assert orjson.loads(canonical_key(key)) == {"id": value, "x": {"N": "1"}}


@pytest.mark.parametrize("key", [None, {}, [], ["pk"], "pk"])
def test_what_is_no_key_has_no_bytes(key: object) -> None:
    """A record without a key belongs to no item."""
    with pytest.raises(TypeError, match="Keys"):
        canonical_key(key)  # type: ignore[arg-type]


def test_messages_name_the_key_without_its_value() -> None:
    """Values stay unseen."""
    assert key_names([put("customer-9"), put("b")]) == ["pk"]
    assert key_names([]) == []
