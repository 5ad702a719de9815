"""Words that several rooms share."""

from __future__ import annotations

from kcl_processor.words import many


def test_one_is_no_plural() -> None:
    """None is, and so are several."""
    assert [many(count, "gap") for count in (0, 1, 2, 1_780)] == [
        "0 gaps",
        "1 gap",
        "2 gaps",
        "1,780 gaps",
    ]
    assert many(1, "key differs", "keys differ") == "1 key differs"
    assert many(2, "key differs", "keys differ") == "2 keys differ"
