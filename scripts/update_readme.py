#!/usr/bin/env python3
"""Write the help texts of all commands into README.md, between its two markers."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from kcl_processor.cli import build_parser

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- help: begin -->\n", "<!-- help: end -->\n"


def help_texts() -> str:
    """The help of every command as Markdown, folded away one by one."""
    # argparse wraps at the terminal's width; a file has none.
    os.environ["COLUMNS"] = "100"
    parser = build_parser()
    parts = [f"```\n{parser.format_help()}```\n"]
    for command in words(parser):
        texts = "\n".join([command.format_help(), *(a.format_help() for a in words(command))])
        parts.append(
            f"<details><summary><code>{command.prog}</code></summary>\n\n"
            f"```\n{texts}```\n\n</details>\n"
        )
    return "\n".join(parts)


def words(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of the commands, or of the actions of a command."""
    # argparse tells its sub-parsers to nobody.
    found = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]  # noqa: SLF001
    return [word for action in found for word in action.choices.values()]


def with_help(readme: str) -> str:
    """The README's text with the help texts of now."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n" + help_texts() + "\n" + END + after


def main() -> int:
    README.write_text(with_help(README.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
