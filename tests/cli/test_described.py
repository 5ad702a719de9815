"""What the parsers take, as records."""

from __future__ import annotations

from kcl_processor.cli import COMMANDS, build_parser
from kcl_processor.cli.described import Flag, describe

PRODUCT = describe(build_parser())


def test_every_command_and_action_is_there() -> None:
    """With its words, its help and its flags."""
    assert [command.path for command in PRODUCT.commands] == [(name,) for name in COMMANDS]
    (leases,) = (one for one in PRODUCT.commands if one.path == ("leases",))
    assert [one.path[1] for one in leases.commands][:2] == ["show", "reset"]
    assert all(one.help and one.text.startswith("usage: ") for one in leases.commands)
    assert len(list(PRODUCT.every())) == 1 + len(COMMANDS) + len(leases.commands)


def test_a_flag_says_whether_a_value_follows() -> None:
    """And which ones may."""
    flags = {one.path: {flag.names[-1]: flag for flag in one.flags} for one in PRODUCT.every()}
    assert not flags["copy",]["--live"].takes
    assert flags["copy",]["--max-rcu"].takes
    assert flags["iam",]["--kind"].choices == ("identity", "trust", "assume", "resource")
    assert flags[()]["--help"] == Flag(
        ("-h", "--help"), "show this help message and exit", takes=False
    )
