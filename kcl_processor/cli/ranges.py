"""Numbers on a command line: what is outside its range is refused before anything is done."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable

from kcl_processor.config import form


def whole(least: int, most: int) -> Callable[[str], int]:
    """A type for ``add_argument``: a whole number from ``least`` to ``most``."""
    return form.number(form.whole(least, most))


def amount(text: str) -> float:
    """A type for ``add_argument``: a finite number, 0 or more."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise ArgumentTypeError(f"{text} is not a number from 0 on")
    return number
