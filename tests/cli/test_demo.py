"""`demo` sums up what was seen."""

from __future__ import annotations

from kcl_processor.cli.demo import summary
from kcl_processor.demo.story import Figures


def test_what_was_not_seen_is_a_dash() -> None:
    """A demo that was stopped early claims nothing."""
    lines = summary(Figures()).splitlines()
    assert [line.split()[-1] for line in lines[2:7]] == ["-"] * 5


def test_the_summary_says_what_was_measured() -> None:
    """Seconds in hundredths, and whether both tables are equal."""
    seen = Figures(items=7, preloaded=5, changes=20, first_record=8.766, differences=0, exit_code=0)
    lines = summary(seen).splitlines()
    assert lines[0].split() == ["items", "compared", "7"]
    assert lines[1].split() == ["changes", "25"]
    assert lines[2].endswith("8.77 s")
    assert lines[-1].endswith(" equal")
