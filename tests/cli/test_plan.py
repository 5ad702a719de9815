"""`copy --plan` for people."""

from __future__ import annotations

from tests.cli.ask import Ask


def test_a_plan_shows_how_it_was_reckoned(ask: Ask) -> None:
    """A table of all ways, then formulas, notes and commands of each."""
    code, said, _ = ask("copy", "--plan")
    assert code == 0
    head, copying, *_ = said.splitlines()
    assert head.split() == ["WAY", "HOURS", "US", "DOLLARS"]
    assert copying.split()[-2:] == ["0.00", "0.00"]
    assert "source: 0 items, 0 bytes" in said
    assert "  $ kcl-processor run" in said
