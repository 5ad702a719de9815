"""What the README says, for the tests that hold it to that."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What the README calls operating a replica.
GUIDE = (ROOT / "kcl_processor" / "cli" / "README.md").read_text(encoding="utf-8")
_ASKERS = ("tools", "record processors", "daemon")


def settings() -> dict[str, dict[str, str]]:
    """The table of AWS settings: what each cell says, by setting and by who obeys it."""
    (table,) = re.findall(r"^\| AWS setting \|.*\n\|[-| ]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    rows = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines())
    return {name: dict(zip(_ASKERS, cells, strict=True)) for name, *cells in rows}


def obeyed_by(asker: str, setting: str) -> bool:
    """Whether the table says that a setting is obeyed."""
    said = settings()[setting][asker]
    assert said.startswith(("yes", "no")), said
    return said.startswith("yes")
