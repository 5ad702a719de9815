"""Print the manual: one page, with the help of every command.

example:
  kcl-processor man > /usr/local/share/man/man1/kcl-processor.1
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from kcl_processor import __version__
from kcl_processor.cli.described import Command, describe
from kcl_processor.errors import ExitCode

HELP = "print the manual as a man page"

_SIGNS = str.maketrans(
    {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
)
# A page has a width, whoever makes it; a help is set in less than a paragraph is, to fit into 80.
_COLUMNS, _INDENT = "78", "2n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""
    del parser


def run(args: argparse.Namespace) -> int:
    os.environ["COLUMNS"] = _COLUMNS
    print("\n".join(manual(describe(args.product()))))
    return ExitCode.OK


def manual(product: Command) -> Iterator[str]:
    """The lines of a page in roff's ``man`` macros; each help as it is, in lines of its own."""
    yield f'.TH KCL-PROCESSOR 1 "" "kcl-processor {__version__}" "User Commands"'
    yield ".SH NAME"
    yield "kcl\\-processor \\- keeps a DynamoDB table the same as another, through KCL 3"
    for command in product.every():
        yield ".SH " + (" ".join(command.path).upper() or "SYNOPSIS")
        yield f".in {_INDENT}"
        yield ".nf"
        yield from map(_plain, command.text.strip("\n").splitlines())
        yield ".fi"
        yield ".in"


def _plain(line: str) -> str:
    """A line in which nothing is a macro, an escape or a typographer's sign."""
    return "\\&" + line.translate(_SIGNS)
