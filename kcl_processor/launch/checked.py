"""The jars that a daemon will load, compared with the manifest before its first start.

Later starts find them noted, by place, size and times, and read none of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from kcl_processor.config.paths import checked_jars
from kcl_processor.launcher.jars import Placed, check, daemon_jars
from kcl_processor.state.durable import replace_file


def check_once(state: Path) -> None:
    """Compare the jars on the daemon's class path with the manifest, unless they are those of the
    last start that did.

    Args:
        state: where that is noted.

    Raises:
        ConfigError: one is missing, or another file than the manifest's.
    """
    jars = daemon_jars()
    note, seen = checked_jars(state), _seen(jars)
    if _noted(note) == seen:
        return
    check(jars)
    # Without the note, the next start compares them again.
    with suppress(OSError):
        replace_file(note, seen)


def _seen(jars: Iterable[Placed]) -> bytes:
    return hashlib.sha256("\n".join(map(_state, jars)).encode()).hexdigest().encode()


def _state(placed: Placed) -> str:
    found = placed.path.stat()
    # The time of the last change is the kernel's own: a copy that keeps a file's dates has another.
    times = f"{found.st_mtime_ns} {found.st_ctime_ns}"
    return f"{placed.path} {placed.jar.sha256} {found.st_ino} {found.st_size} {times}"


def _noted(note: Path) -> bytes:
    try:
        return note.read_bytes()
    except OSError:
        return b""
