"""Logging to stderr, one prefixed line per line of text.

In a record processor stderr is drained by the daemon, which routes each line to ``connectors.log``
at the level it begins with.
"""

from __future__ import annotations

import logging
import sys


class _PrefixedLines(logging.Formatter):
    """``LEVEL message``, on every line, so that a stack trace keeps its level line by line."""

    def __init__(self, origin: str) -> None:
        super().__init__("%(message)s")
        self._origin = origin

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).splitlines() or [""]
        return "\n".join(f"{record.levelname} {self._origin}{line}" for line in lines)


def log_to_stderr(origin: str = "") -> None:
    """Send the product's log to stderr; libraries speak from WARNING up.

    Args:
        origin: what each line begins with behind its level.
    """
    # A log that cannot be written (disk full, daemon gone) is no reason to stop replicating.
    logging.raiseExceptions = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PrefixedLines(origin))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("kcl_processor").setLevel(logging.INFO)
