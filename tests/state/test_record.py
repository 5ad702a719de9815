"""What is read again is what was written, or is told from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import pytest

from kcl_processor.state.record import as_written


@dataclass
class Noted:
    """A record of each kind of field that ours have."""

    name: str
    count: int = 0
    at: float | None = None
    keys: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


NOTED = Noted("a", 1, 2.0, ["b"], {"c": 3})


def test_what_was_written_is_read() -> None:
    """A whole number is a number, too, and a field that is missing has its default."""
    assert as_written(Noted, asdict(NOTED)) == NOTED
    assert as_written(Noted, {"name": "a", "at": 2}) == Noted("a", at=2)


@pytest.mark.parametrize(
    "strange",
    [
        {"name": None},
        {"count": 1.5},
        {"count": True},
        {"at": "2"},
        {"keys": [1]},
        {"counts": {"c": "3"}},
        {"other": 1},
    ],
    ids=str,
)
def test_what_no_record_of_the_kind_holds_is_refused(strange: dict[str, object]) -> None:
    """Nobody who computes with a record meets anything else than its types."""
    with pytest.raises(TypeError):
        as_written(Noted, asdict(NOTED) | strange)
