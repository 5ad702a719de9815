#!/usr/bin/env python3
"""Write what is generated: each command's help, every key of the YAML, others' notices, and what
deploy/terraform takes from the product."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deploy_templates import templates

from kcl_processor.cli import build_parser
from kcl_processor.launcher.bill import notices
from kcl_processor.launcher.jars import read_manifest

ROOT = Path(__file__).parents[1]
COMMANDS = "kcl_processor/cli/COMMANDS.md"
KEYS = "kcl_processor/config/README.md"
THIRD_PARTY = "THIRD_PARTY.md"
_COMMANDS = """\
# Commands

As each `--help` has it; what they are for is told in [operating a replica](README.md).

"""
_KEYS = """\
# Every key of the tasks' file

`-c FILE`, or `$KCL_PROCESSOR_CONFIG`, or `kcl-processor.yml` in the working directory. Two tables
make a task; all else has a default. What tasks share is written once, under a key of the file that
begins with `x-`, and taken over with `<<: *anchor`. A mistake is told with its line and the nearest
word that would do, before anything is touched. This is `properties/example.yml`, which a test holds
to be complete.

```yaml
"""


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


def pages() -> dict[str, str]:
    """Each generated page by its path in the project."""
    example = (ROOT / "properties" / "example.yml").read_text(encoding="utf-8")
    return {
        COMMANDS: _COMMANDS + help_texts(),
        KEYS: f"{_KEYS}{example}```\n",
        THIRD_PARTY: notices(read_manifest()),
    }


def main() -> int:
    for path, text in (pages() | templates()).items():
        (ROOT / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
