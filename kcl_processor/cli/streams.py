"""The standard streams of a command, which may be closed, full, read to their first lines, or of an
encoding that does not have every letter."""

from __future__ import annotations

import io
import os
import signal
import sys


def settle_streams() -> None:
    """Make stdin, stdout and stderr such as everything else takes for granted.

    One that is closed leads nowhere: Python has none then, and the next file or connection would
    get its number. A letter that the encoding of stdout does not have is printed as ``?``. From
    here on a Ctrl-C is for whoever catches it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            lead_nowhere(number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def lead_nowhere(number: int) -> None:
    """Let a file descriptor, open or closed, take whatever is written, and give nothing."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, number)
    if nowhere != number:
        os.close(nowhere)


def leave_streams() -> None:
    """What is left to be printed has nowhere to go, and a Ctrl-C nobody to tell it to."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            lead_nowhere(stream.fileno())
    signal.signal(signal.SIGINT, signal.SIG_DFL)
