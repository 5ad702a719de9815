"""Numbers on a command line: what is outside its range is refused before anything is done."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable

from kcl_processor.config import form
from kcl_processor.table.table_reader import Segment

_MOST_PARTS = 1000


def whole(least: int, most: int) -> Callable[[str], int]:
    """A type for ``add_argument``: a whole number from ``least`` to ``most``."""
    return form.number(form.whole(least, most))


def part(text: str) -> Segment:
    """A type for ``add_argument``: ``I/N``, part I of N, from 0."""
    number, _, total = text.partition("/")
    if not (number.isdecimal() and total.isdecimal() and int(number) < int(total) <= _MOST_PARTS):
        raise ArgumentTypeError(
            f"{text} is no part: 0/8 is the first of eight, and {_MOST_PARTS} are the most"
        )
    return Segment(int(number), int(total))


def amount(text: str) -> float:
    """A type for ``add_argument``: a finite number, 0 or more."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ArgumentTypeError(f"{text} is not a number from 0 on")
    return number
