"""Rules as they are written down."""

from __future__ import annotations

import pytest
from hypothesis import given

from kcl_processor.transform.rules import Rules
from tests.transform.given import rules


@given(rules)
def test_rules_are_read_as_they_were_written(some: Rules) -> None:
    """They travel to the record processors in one line."""
    assert Rules.parse(some.text()) == some
    assert "\n" not in some.text()


@pytest.mark.parametrize("text", ["", "[]", '{"wehre": "a"}'])
def test_what_are_no_rules_are_refused(text: str) -> None:
    """Another version's, or a damaged file."""
    with pytest.raises((ValueError, TypeError, AttributeError)):
        Rules.parse(text)
