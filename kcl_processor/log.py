"""Logging to stderr, one prefixed line per line of text.

In a record processor stderr is drained by the daemon, which routes each line to ``connectors.log``
at the level it begins with.
"""

from __future__ import annotations

import logging
import sys
import threading


class _Speaking(threading.local):
    shard = ""


_speaking = _Speaking()


class _PrefixedLines(logging.Formatter):
    """``LEVEL message``, on every line, so that a stack trace keeps its level line by line."""

    def __init__(self) -> None:
        super().__init__("%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        origin = f"{_speaking.shard} " if _speaking.shard else ""
        lines = super().format(record).splitlines() or [""]
        return "\n".join(f"{record.levelname} {origin}{line}" for line in lines)


def log_to_stderr() -> None:
    """Send the product's log to stderr; libraries speak from WARNING up."""
    # A log that cannot be written (disk full, daemon gone) is no reason to stop replicating.
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PrefixedLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("kcl_processor").setLevel(logging.INFO)


def speak_for(shard: str) -> None:
    """Name a shard, from now on, in each line that this thread logs."""
    _speaking.shard = shard


def spoken_for() -> str:
    """The shard that this thread's lines name; empty where they name none."""
    return _speaking.shard
