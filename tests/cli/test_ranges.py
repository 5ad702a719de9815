"""A number outside its range is refused, by every command that takes one."""

from __future__ import annotations

import argparse
import re

import pytest

from kcl_processor.cli import build_parser
from kcl_processor.cli.ranges import amount, pace, part, shard, share, span, units, whole
from kcl_processor.errors import ExitCode


def test_what_is_inside_a_range_is_read() -> None:
    """Both ends belong to it."""
    assert [whole(1, 65_535)(text) for text in ("1", "9464", "65535")] == [1, 9464, 65_535]
    assert [amount(text) for text in ("0", "2.5", "1e3", "1e9")] == [0, 2.5, 1e3, 1e9]
    assert [pace(text) for text in ("0.5", "1e9")] == [0.5, 1e9]
    assert [units(text) for text in ("50", "0.5", "50%", "100%")] == ["50", "0.5", "50%", "100%"]
    assert [span(text) for text in ("90s", "1.5m", "2h", "7d")] == [90, 90, 7_200, 604_800]
    assert [share(text) for text in ("5%", "0.05", "100%", "1")] == [0.05, 0.05, 1, 1]


@pytest.mark.parametrize("text", ["0", "6", "-1", "1.5", "x", "", "²"])
def test_what_is_no_whole_number_of_a_range_is_refused(text: str) -> None:
    """The message has the text and the range."""
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 5"):
        whole(1, 5)(text)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1e300", "1e10", "x", ""])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Nothing is older than never, no time is not a number, and nobody can wait for ever."""
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 1,000,000,000"):
        amount(text)


@pytest.mark.parametrize("text", ["", " "])
def test_what_names_no_shard_is_refused(text: str) -> None:
    """A variable that is not set would mean all shards."""
    assert shard("0001-abcd") == "0001-abcd"
    with pytest.raises(argparse.ArgumentTypeError, match="leave it out where all shards are meant"):
        shard(text)


@pytest.mark.parametrize("text", ["2", "h", "-2h", "0s", "nanh", "2w", "1e9d", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With some that are."""
    with pytest.raises(argparse.ArgumentTypeError, match="is no time: 90s, 30m"):
        span(text)


def test_a_part_is_read() -> None:
    """From 0, and below the number of parts."""
    assert [part(8)(text) for text in ("0/1", "7/8")] == [(0, 1), (7, 8)]


@pytest.mark.parametrize("text", ["8/8", "-1/8", "1", "1/", "/8", "a/b", "0/0", "0/1001", ""])
def test_what_is_no_part_is_refused(text: str) -> None:
    """With what one looks like."""
    with pytest.raises(argparse.ArgumentTypeError, match="is no part: 0/8 is the first"):
        part(1000)(text)


@pytest.mark.parametrize(
    ("command", "flag", "value"),
    [
        ("verify", "--segment", "0/0"),
        ("verify", "--part", "8/8"),
        ("copy", "--part", "1"),
        ("verify", "--segments", "-2"),
        ("verify", "--segments", "0"),
        ("verify", "--segments", "-5"),
        ("verify", "--patience", "nan"),
        ("verify", "--sample", "nan%"),
        ("verify", "--sample", "0"),
        ("verify", "--sample", "101%"),
        ("verify", "--max-rcu", "0"),
        ("verify", "--max-rcu", "x"),
        ("switchover", "--max-rcu", "0"),
        ("verify", "--processes", "0"),
        ("copy", "--max-rcu", "-1"),
        ("copy", "--max-wcu", "101%"),
        ("start", "--max-wcu", "inf"),
        ("copy", "--segments", "0"),
        ("start", "--segments", "-2"),
        ("health", "--max-lag", "nan"),
        ("health", "--max-idle", "-1"),
        ("exporter", "--port", "65536"),
        ("size", "--shards", "-3"),
        ("health", "--max-proof-age", "-1"),
        ("size", "--table-gb", "-1"),
        ("size", "--max-rcu", "0"),
        ("size", "--changes", "nan"),
        ("size", "--item-kb", "-1"),
        ("demo", "--seconds", "nan"),
        ("demo", "--items", "0"),
    ],
)
def test_a_command_takes_no_number_it_cannot_go_by(
    command: str, flag: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A comparison of no segment finds nothing that differs, and one whose patience is no number
    never ends."""
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, f"{flag}={value}"])
    assert ended.value.code == ExitCode.CONFIG
    assert re.search(f"argument {flag}: {value} is not? ", capsys.readouterr().err)
