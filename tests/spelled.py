"""Which modules of the package spell a word that is to be written once."""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "kcl_processor"


def spelled(words: Collection[str]) -> set[str]:
    """The modules in which one of the words is a string, or a part of a formatted one."""
    return {
        module.relative_to(PACKAGE).with_suffix("").as_posix()
        for module in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in words
    }
