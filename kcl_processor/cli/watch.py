"""``--watch``: the same view again and again, redrawn in place on a terminal."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
from collections.abc import Callable

from kcl_processor.errors import OperatorError

_SECONDS = 2.0


def add_watch_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--watch``."""
    parser.add_argument(
        "--watch", action="store_true", help="look again every two seconds, until Ctrl-C"
    )


def show(draw: Callable[[], int], *, watch: bool) -> int:
    """Draw once, or until Ctrl-C; the exit code of the last drawing."""
    code = draw()
    while watch:
        time.sleep(_SECONDS)
        code = _redraw(lambda: _drawn(draw))
    return code


def _drawn(draw: Callable[[], int]) -> int:
    """What was seen once can be seen again: a network that fails meanwhile ends no watch."""
    try:
        return draw()
    except OperatorError as error:
        print(f"Error: {error.message}")
        return error.exit_code


def _redraw(draw: Callable[[], int]) -> int:
    if not sys.stdout.isatty():
        print()
        return draw()
    drawn = io.StringIO()
    with contextlib.redirect_stdout(drawn):
        code = draw()
    # From the top, each line cleared behind its end, then whatever was below: nothing flickers.
    lines = drawn.getvalue().replace("\n", "\x1b[K\n")
    sys.stdout.write(f"\x1b[H{lines}\x1b[J")
    sys.stdout.flush()
    return code
