"""Data on stdout, for people and for machines."""

from __future__ import annotations

import json

import pytest

from kcl_processor.cli.output import Row, cell, duration, print_rows, table_lines

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
