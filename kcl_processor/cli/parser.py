"""What a mistyped command line is told: what is wrong with it, and the nearest that would do."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from kcl_processor.config.yaml_section import nearest
from kcl_processor.errors import ExitCode

_CHOICE = re.compile(r"argument (.+): invalid choice: '?(.*?)'? \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """Of the product or of one of its commands. No word is abbreviated: a hint repeats words, and
    what changes things is typed in full."""

    def __init__(self, **named: Any) -> None:
        super().__init__(
            **named, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
        )

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
