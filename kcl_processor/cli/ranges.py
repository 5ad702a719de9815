"""Numbers on a command line: what is outside its range is refused before anything is done."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable

from kcl_processor.config import form
from kcl_processor.table.table_reader import Segment

# Parts of a copy or a comparison, each on a host of its own.
MOST_PARTS = 1000
# Segments of a Scan (API reference, Scan, TotalSegments).
MOST_SEGMENTS = 1_000_000
# Of seconds, changes or KB. Python waits for nine times as many seconds at most, and a product of
# two of these is still a number.
_MOST_AMOUNT = 1e9


def whole(least: int, most: int) -> Callable[[str], int]:
    """A type for ``add_argument``: a whole number from ``least`` to ``most``."""
    return form.number(form.whole(least, most))


def part(most: int) -> Callable[[str], Segment]:
    """A type for ``add_argument``: ``I/N``, part I of N, from 0, of at most so many parts."""

    def read(text: str) -> Segment:
        number, _, total = text.partition("/")
        if number.isdecimal() and total.isdecimal() and int(number) < int(total) <= most:
            return Segment(int(number), int(total))
        raise ArgumentTypeError(
            f"{text} is no part: 0/8 is the first of eight, and {most} are the most"
        )

    return read


def amount(text: str) -> float:
    """A type for ``add_argument``: a number from 0 on that something can be counted with."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= _MOST_AMOUNT:
        raise ArgumentTypeError(f"{text} is not a number from 0 to {_MOST_AMOUNT:,.0f}")
    return number
