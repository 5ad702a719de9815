"""Data on stdout: aligned columns for people, JSON for machines, from the same rows. All else is
told on stderr."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence

Row = Mapping[str, object]


def print_rows(
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    as_json: bool = False,
    spare: Sequence[str] = (),
) -> None:
    """Print rows as a JSON list, or the named columns as a table.

    Args:
        rows: one mapping a row; JSON shows all of it, with ``null`` for what is unknown.
        columns: the keys a table shows, in order; its heads are these in capitals.
        spare: of these columns the first go first where a terminal is too narrow for all.
    """
    if as_json:
        print_json(list(rows))
        return
    for line in fitting_lines(rows, columns, spare):
        print(line)


def fitting_lines(rows: Sequence[Row], columns: Sequence[str], spare: Sequence[str]) -> list[str]:
    """The lines of a table that a terminal shows in one row each. Where columns were left out, the
    heads end in ``…``."""
    lines, left, room = table_lines(rows, columns), list(columns), _room()
    for column in spare:
        if max(map(len, lines)) <= room:
            break
        left.remove(column)
        heads, *body = table_lines(rows, left)
        lines = [f"{heads}  …", *body]
    return [fitted(line) for line in lines] if spare else lines


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
    room = _room()
    return line if len(line) <= room else f"{line[: room - 1]}…"


def wrapped(line: str, indent: int) -> str:
    """A line of words that a terminal breaks between them; what follows the first row is indented.
    Whole off a terminal."""
    room = _room()
    if len(line) <= room:
        return line
    return textwrap.fill(
        line,
        max(room, 2 * indent),
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _room() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize


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
