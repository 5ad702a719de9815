"""The pause before a daemon that keeps crashing is started again."""

from __future__ import annotations

import json
from pathlib import Path

from kcl_processor.state.durable import replace_file

_LONGEST = 60.0
# Seconds a daemon must have run for its crash to count as the first one.
_HEALTHY = 600.0


def pause_before_start(path: Path, now: float) -> float:
    """Note a start, and give the seconds to wait before it: 0, 1, 3, 7, … up to a minute.

    Args:
        path: keeps the note; without a note that can be read or written there is no pause.
        now: seconds since the epoch.
    """
    starts, last = _read(path)
    starts = 0 if now - last > _HEALTHY else starts
    pause = min(_LONGEST, 2.0 ** min(starts, 10) - 1)
    try:
        replace_file(path, json.dumps({"starts": starts + 1, "last": now + pause}).encode())
    except OSError:
        return 0.0
    return pause


def _read(path: Path) -> tuple[int, float]:
    try:
        noted = json.loads(path.read_text())
        return max(0, int(noted["starts"])), float(noted["last"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return 0, 0.0
