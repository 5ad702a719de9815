"""A file that one daemon is started with: written once, held while it lives, then swept.

What a daemon's processes read must not change under them, and another start, of the same task or
of one that is called like it, must not write where they read. The holder is told by a lock on the
file itself, which tells it also to a process in another network namespace.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from kcl_processor.state.durable import private_folder


def write_held(folder: Path, suffix: str, content: Callable[[Path], bytes]) -> Path:
    """Write a new file, read-only and under a name that nobody had; return its path.

    It is held by this process and whatever it becomes by ``exec``, until that ends.

    Args:
        content: gives it, knowing the path.

    Raises:
        OSError: it cannot be written.
    """
    private_folder(folder)
    path = folder / f"{secrets.token_hex(4)}{suffix}"
    unfinished = path.with_name(path.name + ".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content(path))
        os.fsync(descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        # Only now has it the name that a sweep looks for.
        unfinished.rename(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        os.close(descriptor)
        raise
    os.set_inheritable(descriptor, True)  # noqa: FBT003
    return path


def remove_unheld(paths: Iterable[Path]) -> None:
    """Remove those files that no process holds; what cannot be told or removed stays."""
    for path in paths:
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
