"""What a host must have for a daemon: room for its files, and the right time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from kcl_processor.operate.check import Check, fail, ok, warn

# kcl.log and connectors.log keep a hundred files of 10 MB each.
LOG_BYTES = 2 * 100 * 10 * 2**20
_LEAST_BYTES = 256 * 2**20
# AWS refuses a signature whose time is five minutes off; KCL's own clocks matter earlier.
_SKEW_WARN, _SKEW_FAIL = 10.0, 240.0


def room(what: str, folder: Path) -> Check:
    """Whether a daemon can keep its files in a folder.

    Args:
        what: ``state`` or ``logs``; the folder need not be there yet.
    """
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    elsewhere = f"choose another place with --{what}-dir".replace("logs", "log")
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return fail(
            f"{what}: {existing} cannot be written",
            "a start would end here, or go without logs",
            elsewhere,
        )
    free = shutil.disk_usage(existing).free
    text = f"{what}: {free / 2**30:.1f} GiB free at {existing}"
    if free >= (_LEAST_BYTES if what == "state" else LOG_BYTES):
        return ok(text)
    return (warn if free >= _LEAST_BYTES else fail)(
        text,
        f"the logs grow to {LOG_BYTES / 1e9:.0f} GB, and dead letters must find room",
        f"make room, or {elsewhere}",
    )


def skew(seconds: float) -> Check:
    """Whether this host tells the time of AWS; they differ by so many seconds."""
    text = f"this host's clock differs from AWS by {abs(seconds):.0f} s"
    why = "AWS refuses signatures more than five minutes off; ages and lags are wrong by as much"
    if abs(seconds) < _SKEW_WARN:
        return ok(text)
    return (warn if abs(seconds) < _SKEW_FAIL else fail)(text, why, "chronyc tracking")
