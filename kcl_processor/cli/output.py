"""Data on stdout: aligned columns for people, JSON for machines, from the same rows. All else is
told on stderr."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence

Row = Mapping[str, object]


def print_rows(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool = False) -> None:
    """Print rows as a JSON list, or the named columns as a table.

    Args:
        rows: one mapping a row; JSON shows all of it, with ``null`` for what is unknown.
        columns: the keys a table shows, in order; its heads are these in capitals.
    """
    if as_json:
        print_json(list(rows))
        return
    for line in table_lines(rows, columns):
        print(line)


def table_lines(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    """The lines of a table: its heads, then one for each row."""
    table = [[column.upper().replace("_", " ") for column in columns]]
    table += [[cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]


def fitted(line: str) -> str:
    """A line that a terminal shows in one row: cut at its width, and whole off a terminal."""
    width = shutil.get_terminal_size().columns
    cut = sys.stdout.isatty() and len(line) > width
    return f"{line[: width - 1]}…" if cut else line


def print_json(value: object) -> None:
    """Print one JSON document; its letters as they are, where stdout has them all."""
    has_all = "utf" in (sys.stdout.encoding or "").lower()
    json.dump(value, sys.stdout, indent=2, ensure_ascii=not has_all)
    print()


def tell(text: str) -> None:
    """Say something of what is being done."""
    print(text, file=sys.stderr, flush=True)


def duration(seconds: float | None) -> str | None:
    """Seconds as a person says them: ``2.1s``, ``4m10s``, ``3h12m``."""
    if seconds is None:
        return None
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"


def cell(value: object) -> str:
    """One value in a table: ``-`` for what is unknown, never blank."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list | tuple):
        return ",".join(map(cell, value)) or "-"
    return str(value)
