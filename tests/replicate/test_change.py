"""A change and its key."""

from __future__ import annotations

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


@pytest.mark.parametrize("key", [None, {}, [], ["pk"], "pk"])
def test_what_is_no_key_has_no_bytes(key: object) -> None:
    """A record without a key belongs to no item."""
    with pytest.raises(TypeError, match="Keys"):
        canonical_key(key)  # type: ignore[arg-type]


def test_messages_name_the_key_without_its_value() -> None:
    """Values stay unseen."""
    assert key_names([put("customer-9"), put("b")]) == ["pk"]
    assert key_names([]) == []
