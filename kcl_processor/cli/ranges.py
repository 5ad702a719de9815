"""Numbers and names on a command line: what cannot be meant is refused before anything is done."""

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
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


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
    number = _number(text)
    if not 0 <= number <= _MOST_AMOUNT:
        raise ArgumentTypeError(f"{text} is not a number from 0 to {_MOST_AMOUNT:,.0f}")
    return number


def shard(text: str) -> str:
    """A type for ``add_argument``: a shard's name, or an end of it; all end in nothing."""
    if not text.strip():
        raise ArgumentTypeError("it is empty; leave it out where all shards are meant")
    return text


def pace(text: str) -> float:
    """A type for ``add_argument``: so many a second that something gets on."""
    number = _number(text)
    if not 0 < number <= _MOST_AMOUNT:
        raise ArgumentTypeError(f"{text} is not a number above 0, up to {_MOST_AMOUNT:,.0f}")
    return number


def span(text: str) -> float:
    """A type for ``add_argument``: so much time before now, in seconds: ``90s``, ``2h``."""
    number = _number(text[:-1]) * _UNITS.get(text[-1:], math.nan)
    if not 0 < number <= _MOST_AMOUNT:
        raise ArgumentTypeError(f"{text} is no time: 90s, 30m, 2h or 7d")
    return number


def units(text: str) -> str:
    """A type for ``add_argument``: capacity units a second, or a percentage of the provisioned
    ones, which are known later."""
    number = _number(text.removesuffix("%"))
    if not 0 < number <= (100 if text.endswith("%") else _MOST_AMOUNT):
        raise ArgumentTypeError(f"{text} is not a number above 0, nor a percentage up to 100%")
    return text


def share(text: str) -> float:
    """A type for ``add_argument``: some of a whole, as a percentage or a fraction."""
    number = _number(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 < number <= 1:
        raise ArgumentTypeError(f"{text} is not a share: 5% or 0.05, above 0 and up to 100%")
    return number


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
