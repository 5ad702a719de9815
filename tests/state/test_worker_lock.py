"""A worker's lock: many record processors share it, and the kernel lets go of it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.state.worker_lock import RECORD_PROCESSORS, has_daemon, share

SHARE = """
import sys
from pathlib import Path
from kcl_processor.state.worker_lock import share
share(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
# As the launcher does it.
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+")
fcntl.lockf(file, fcntl.LOCK_EX, 1, 0)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(how: str, lock: Path) -> Iterator[None]:
    """A process that holds a lock in its way; it is killed at the end."""
    command = [sys.executable, "-c", how, str(lock)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout and process.stdin
    assert process.stdout.readline() == b"held\n"
    yield
    process.kill()
    process.communicate()


def is_free(lock: Path) -> bool:
    """Whether a daemon would find nobody there; it asks as the launcher does."""
    descriptor = os.open(lock, os.O_RDWR)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, RECORD_PROCESSORS)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_a_daemon_waits_for_the_last_of_them(tmp_path: Path) -> None:
    """Each has a share, in a folder that the first of them makes; a kill lets go of it."""
    lock = tmp_path / "worker-1" / "lock"
    with holding(SHARE, lock):
        with holding(SHARE, lock):
            assert not is_free(lock)
        assert not is_free(lock)
    assert is_free(lock)


def test_a_daemon_is_known_by_its_own_byte(tmp_path: Path) -> None:
    """For as long as it lives; record processors that outlive it are none."""
    lock = tmp_path / "lock"
    assert not has_daemon(lock)
    with holding(SHARE, lock):
        assert not has_daemon(lock)
        with holding(HOLD, lock):
            assert has_daemon(lock)
        assert not has_daemon(lock)


def test_a_lock_that_cannot_be_made_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    """Writing without it would be writing beside a predecessor."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file/lock cannot be locked"):
        share(tmp_path / "file" / "lock")
