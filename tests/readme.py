"""What the README and the pages beside the code say, for the tests that hold them to it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Each page by its path in the project.
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in (".", "deploy", "kcl_processor", "integration/bench")
    for path in sorted((ROOT / folder).glob("*.md" if folder == "." else "**/*.md"))
}
# All of them: where a sentence stands is no matter of what it says.
README = "\n".join(PAGES.values())
GUIDE = PAGES["kcl_processor/cli/README.md"]
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
