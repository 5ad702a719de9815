"""Data on stdout, for people and for machines."""

from __future__ import annotations

import json
import sys

import pytest

from kcl_processor.cli.output import Row, cell, duration, print_rows, table_lines, wrapped

ROWS: list[Row] = [
    {"shard": "a", "trims_in": None, "secret": "ä"},
    {"shard": "shard-2", "trims_in": "4m10s", "secret": ""},
]


def test_a_tables_columns_are_aligned_and_never_blank() -> None:
    """The heads are the keys; no line ends in spaces."""
    assert table_lines(ROWS, ("shard", "trims_in")) == [
        "SHARD    TRIMS IN",
        "a        -",
        "shard-2  4m10s",
    ]
    assert table_lines([], ("shard",)) == ["SHARD"]


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Let stdout be one of this width."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (27, "SHARD    TRIMS IN  SECRET\na        -         ä\nshard-2  4m10s     -\n"),
        (24, "SHARD    TRIMS IN  …\na        -\nshard-2  4m10s\n"),
        (12, "SHARD  …\na\nshard-2\n"),
        (5, "SHAR…\na\nshar…\n"),
    ],
)
def test_a_narrow_terminal_has_a_row_for_a_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, shown: str
) -> None:
    """The columns that can be spared go first, in their order, and the heads say so."""
    on_a_terminal(monkeypatch, columns)
    print_rows(ROWS, ("shard", "trims_in", "secret"), spare=("secret", "trims_in"))
    assert capsys.readouterr().out == shown


def test_off_a_terminal_no_column_is_spared(capsys: pytest.CaptureFixture[str]) -> None:
    """However many there are: what reads it is a program."""
    columns = ("shard", "trims_in", "secret") * 40
    print_rows(ROWS, columns, spare=("secret",))
    assert capsys.readouterr().out.count("SECRET") == 40


def test_words_that_a_terminal_has_no_room_for_stand_below(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is cut, and what follows the first row is indented; off a terminal, one row."""
    line = "10:00  worker-1  moved shardId-1-5e0b6ed2 from-a to-b"
    assert wrapped(line, 4) == line
    on_a_terminal(monkeypatch, 20)
    assert wrapped(line, 4).splitlines() == [
        *("10:00  worker-1", "    moved", "    shardId-1-5e0b6ed2", "    from-a to-b")
    ]


def test_json_shows_all_of_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """With null for what is unknown, and letters as they are."""
    print_rows(ROWS, ("shard",), as_json=True)
    said = capsys.readouterr().out
    assert json.loads(said) == ROWS
    assert "ä" in said


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ([], "-"),
        (0, "0"),
        (True, "yes"),
        (False, "no"),
        (1.24, "1.2"),
        (["a", None], "a,-"),
    ],
)
def test_a_cell_says_what_is_unknown(value: object, shown: str) -> None:
    """Zero and no are known."""
    assert cell(value) == shown


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, None),
        (0, "0.0s"),
        (2.14, "2.1s"),
        (250, "4m10s"),
        (3599.6, "1h00m"),
        (11_520, "3h12m"),
        (90_000, "25h00m"),
    ],
)
def test_durations_are_said_in_two_units(seconds: float | None, said: str | None) -> None:
    """As a person says them."""
    assert duration(seconds) == said
