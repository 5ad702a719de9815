"""What the text of a setting may be."""

from __future__ import annotations

import pytest

from kcl_processor.config.form import whole


@pytest.mark.parametrize("text", ["1", "10", "07"])
def test_a_number_within_its_bounds_fits(text: str) -> None:
    """Both bounds are among them."""
    assert whole(1, 10).fits(text)


@pytest.mark.parametrize("text", ["", "0", "11", "-5", "1.5", "one", "1 ", "\uff11", "1" * 40])
def test_nothing_else_fits(text: str) -> None:
    """No sign, no fraction, no blank, no digit of another script, nothing without end."""
    assert not whole(1, 10).fits(text)


def test_the_words_name_the_bounds() -> None:
    """They end the sentence of an error."""
    assert whole(1, 10).words == "a whole number from 1 to 10"
