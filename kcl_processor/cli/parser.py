"""What a mistyped command line is told: what is wrong with it, and the nearest that would do."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from kcl_processor.config.yaml_section import nearest
from kcl_processor.errors import ExitCode

_CHOICE = re.compile(r"argument (.+): invalid choice: '?(.*?)'? \(choose from (.*)\)")


# A line of help that is typed, and is no line any more when it is broken.
_TYPED = re.compile(r" +(kcl-processor|aws|while|livenessProbe|initialDelaySeconds)\b")
# What a term of a list has behind it, up to its explanation.
_TERM = re.compile(r" +\S+(?: \S+)* {2,}")
# Wider, the eye loses its line.
_WIDEST = 100


class Help(argparse.RawDescriptionHelpFormatter):
    """Text that is as wide as the terminal, up to a hundred characters."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=max(20, min(shutil.get_terminal_size().columns, _WIDEST)))

    def _split_lines(self, text: str, width: int) -> list[str]:
        """As the base, but that names of files and flags stay whole."""
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002
        """Paragraphs anew; of lists each entry by itself; what is typed stays as it is."""
        paragraphs = (part.splitlines() for part in text.strip("\n").split("\n\n"))
        return "\n\n".join(
            "\n".join(line for entry in _entries(lines) for line in _wrapped(entry, width))
            for lines in paragraphs
        )


def _entries(lines: list[str]) -> list[list[str]]:
    """The lines of a paragraph, those together that are of one sentence or of one list entry."""
    entries: list[list[str]] = []
    for line in lines:
        begun = entries[-1][0] if entries else ""
        follows = _indent(line) > _indent(begun) if _indent(begun) else not _indent(line)
        goes_on = bool(entries) and follows and not begun.endswith(":")
        entries[-1].append(line) if goes_on else entries.append([line])
    return entries


def _wrapped(entry: list[str], width: int) -> list[str]:
    if max(map(len, entry)) <= width and (_indent(entry[0]) or len(entry) == 1):
        return entry
    if _TYPED.match(entry[0]):
        return entry
    term = _TERM.match(entry[0])
    hanging = len(term[0]) if term else _indent(entry[-1])
    head, tail = (
        (term[0], entry[0][len(term[0]) :]) if term else (" " * _indent(entry[0]), entry[0])
    )
    words = " ".join(line.strip() for line in (tail, *entry[1:]))
    return textwrap.wrap(
        words, width, initial_indent=head, subsequent_indent=" " * hanging, break_on_hyphens=False
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


class Parser(argparse.ArgumentParser):
    """Of the product or of one of its commands. No word is abbreviated: a hint repeats words, and
    what changes things is typed in full."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named, allow_abbrev=False, formatter_class=Help)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As the base, but that a word which is not known is an error of the command it is of."""
        known, left = super().parse_known_args(args, namespace)
        if left:
            word = left[0].partition("=")[0]
            self._refuse(f"{word} is not known", nearest(word, self._option_string_actions))
        return known, left

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, instead of a page of usage above it."""
        choice = _CHOICE.fullmatch(message)
        if choice:
            what, word, choices = choice.groups()
            near = nearest(word, re.findall(r"[\w-]+", choices))
            # A command stands behind the words before it, an option's value behind the option.
            behind = what.rpartition("/")[2] if what.startswith("-") else self.prog
            self._refuse(f"{word} is no {what}", f"{behind} {near}" if near else "")
        self._refuse(message, "")

    def _refuse(self, reason: str, near: str) -> NoReturn:
        self.exit(
            ExitCode.CONFIG,
            f"Error: {self.prog}: {reason}.\nTry: {near or f'{self.prog} --help'}\n",
        )
