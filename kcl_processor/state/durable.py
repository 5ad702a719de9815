"""Files that survive a kill at any moment: a line appended whole, a file replaced whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from kcl_processor.config.paths import half_written
from kcl_processor.errors import ConfigError

# State may hold keys of items, and dead letters whole items: for their owner's eyes.
_MODE = 0o600
_FOLDER_MODE = 0o700


def private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner alone.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        # ``mkdir(parents=True)`` would make those above it for everybody.
        private_folder(folder.parent)
        folder.mkdir(_FOLDER_MODE, exist_ok=True)


def append_line(path: Path, line: bytes) -> None:
    """Append one line and return when it is on the disk.

    A line is one ``write`` to a file opened for appending, so lines of two processes never mix. A
    line that a full disk has torn is ended first, or it would swallow this one.

    Raises:
        OSError: the line is not on the disk, or not whole.
    """
    private_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _MODE)
    try:
        if _is_torn(descriptor):
            line = b"\n" + line
        if os.write(descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def read_lines(path: Path, whose: str) -> list[bytes]:
    """The lines of a file that :func:`append_line` made; none when there is no file.

    Args:
        whose: what is in it, for the error.

    Raises:
        ConfigError: the file is there and cannot be read: there may be lines in it.
    """
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(
            f"The {whose} in {path} cannot be read: {error.strerror}.",
            "let this user read the file, then ask again",
        ) from error


def new_file(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, and return when it is on the disk.

    Raises:
        OSError: it is there, or cannot be written; then what was written of it is gone.
    """
    private_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        _write(descriptor, content, flush=True)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def replace_file(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Write a file whole or not at all; its readers see the old one or the new one.

    Args:
        flush: return only when the content is on the disk, so that it outlives the machine's end.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    private_folder(path.parent)
    temporary = half_written(path, os.getpid())
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        _write(descriptor, content, flush=flush)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _write(descriptor: int, content: bytes, *, flush: bool) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        if flush:
            os.fsync(descriptor)
