"""What the text of a setting may be, wherever it is given."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """What a text may be.

    Attributes:
        words: the same for people.
        bounds: of the number that it is, if it is one.
    """

    words: str
    pattern: re.Pattern[str]
    bounds: tuple[int, int] | None = None

    def fits(self, text: str) -> bool:
        """Whether a setting may have this value."""
        if not self.pattern.fullmatch(text):
            return False
        return self.bounds is None or self.bounds[0] <= int(text) <= self.bounds[1]


def whole(least: int, most: int) -> Form:
    """A whole number within bounds."""
    words = f"a whole number from {least} to {most}"
    return Form(words, re.compile(r"[0-9]{1,18}"), (least, most))


def number(form: Form) -> Callable[[str], int]:
    """A type for ``add_argument``: the number that a text of the form is."""

    def read(text: str) -> int:
        if not form.fits(text):
            raise ArgumentTypeError(f"{text} is not {form.words}")
        return int(text)

    return read
