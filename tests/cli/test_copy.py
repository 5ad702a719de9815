"""`copy` plans, and tells how far it is, without copying anything."""

from __future__ import annotations

import json

from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask


def test_a_plan_compares_two_ways(ask: Ask) -> None:
    """By time and cost, with the commands of each."""
    code, said, _ = ask("copy", "--plan", "--json")
    assert code == ExitCode.OK
    ways = json.loads(said)
    assert len(ways) == 2
    assert all(way["hours"] >= 0 and way["commands"] for way in ways)


def test_a_copy_that_never_began_has_no_state(ask: Ask) -> None:
    """It is unknown, and nothing is printed for a machine to misread."""
    code, said, err = ask("copy", "--status", "--json")
    assert (code, said) == (ExitCode.UNKNOWN, "")
    assert "has begun on this host" in err


def test_a_part_that_never_began_has_no_state(ask: Ask) -> None:
    """On no host, for its row is in no host's files."""
    code, said, err = ask("copy", "--status", "--part", "1/8")
    assert (code, said) == (ExitCode.UNKNOWN, "")
    assert "Part 1/8 of the copy of" in err and "has not begun" in err
