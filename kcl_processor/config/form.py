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
        example: one that fits, where the words do not show it.
    """

    words: str
    pattern: re.Pattern[str]
    bounds: tuple[int, int] | None = None
    example: str = ""

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

    fitting = text(form)
    return lambda given: int(fitting(given))


def text(form: Form) -> Callable[[str], str]:
    """A type for ``add_argument``: a text of the form."""

    def read(given: str) -> str:
        if not form.fits(given):
            raise ArgumentTypeError(f"{shown(given)} is not {form.words}")
        return given

    return read


def shown(value: str) -> str:
    """A value as an error may repeat it: without the name and the password of a URL."""
    return re.sub(r"//[^/\s]*@", "//…@", value)
