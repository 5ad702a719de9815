"""The table that drills end in: what was done how often, and what became of the replica."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from integration.bench.machine import hardware

_HEAD = ("fault", "repeats", "changes", "lost", "stale", "replayed", "longest pause", "measured")


@dataclass(frozen=True)
class Row:
    """One drill. `lost` counts keys that differ in any way at the end; the pause is in seconds."""

    fault: str
    repeats: int
    changes: int
    lost: int
    stale: int
    replayed: int
    longest_pause: float
    measured: str


# Adds a row to the table of scripts/drills.
TellRow = Callable[[Row], None]


def row(fault: str, verdict: dict[str, Any], changes: int, repeats: int, measured: str) -> Row:
    """Make a row of a judge's verdict; `measured` is what else the drill found out."""
    return Row(
        fault=fault,
        repeats=repeats,
        changes=changes,
        lost=verdict["lost"] + verdict["extra"] + verdict["different"],
        stale=verdict["stale"] + verdict["regressed"],
        replayed=verdict["replay"] + verdict["repeat"],
        longest_pause=max(verdict["longest_pause_s"].values(), default=0.0),
        measured=measured,
    )


def note(path: Path, of_drill: Row) -> None:
    """Append a row to a file of JSON lines."""
    with path.open("a") as file:
        file.write(json.dumps(asdict(of_drill)) + "\n")


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table, with the machine that they were measured on."""
    lines = [_line(_HEAD), _line("---" for _ in _HEAD)]
    for each in rows:
        lines.append(
            _line(
                (
                    *(each.fault, each.repeats, each.changes, each.lost, each.stale),
                    *(each.replayed, f"{each.longest_pause:.1f} s", each.measured),
                )
            )
        )
    return "\n".join([*lines, "", f"Everything ran on one machine: {hardware()}."]) + "\n"


def read(path: Path) -> list[Row]:
    """The rows of a file of JSON lines."""
    return [Row(**json.loads(line)) for line in path.read_text().splitlines()]


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown(read(Path(sys.argv[1]))))
