"""``--watch``: the same view again and again, redrawn in place on a terminal."""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import math
import re
import shutil
import sys
import time
from collections.abc import Callable

from kcl_processor.errors import OperatorError

_SECONDS = 2.0
_COLOUR = re.compile(r"\x1b\[\d*m")


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
    drawn = _Screen()
    with contextlib.redirect_stdout(drawn):
        code = draw()
    # From the top, each line cleared behind its end, then whatever was below: nothing flickers.
    lines = "".join(f"{line}\x1b[K\n" for line in _screenful(drawn.getvalue().splitlines()))
    sys.stdout.write(f"\x1b[H{lines}\x1b[J")
    sys.stdout.flush()
    return code


class _Screen(io.StringIO):
    """What is drawn for a terminal, and not yet shown."""

    def isatty(self) -> bool:
        return True


def _screenful(lines: list[str]) -> list[str]:
    """As many of the first lines as a terminal shows, so that the heads stay in sight."""
    size = shutil.get_terminal_size()
    # The cursor takes a row of its own, below the last one.
    rows = list(itertools.accumulate(_rows(line, size.columns) for line in lines))
    if not rows or rows[-1] < size.lines:
        return lines
    shown = sum(row < size.lines - 1 for row in rows)
    return [*lines[:shown], f"… {len(lines) - shown} more"]


def _rows(line: str, columns: int) -> int:
    """The rows that a line takes; its colours take none."""
    return max(1, math.ceil(len(_COLOUR.sub("", line)) / columns))
