"""Names that one live process of a host holds at a time."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path


def hold(name: str) -> socket.socket | None:
    """Hold a name until the socket is closed or its last holder ends; ``None`` if it is held.

    An abstract unix socket belongs to the host and not to a folder, and leaves nothing behind
    after kill -9.
    """
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(b"\0" + _address(name).encode())
    except OSError:
        lock.close()
        return None
    return lock


def is_held(name: str) -> bool:
    """Whether a live process on this host holds a name.

    The kernel's list of sockets is asked: trying the lock would hold it for a moment, in which
    somebody who is just starting would be refused.
    """
    try:
        return f"@{_address(name)}" in Path("/proc/net/unix").read_text(encoding="ascii").split()
    except OSError:
        return False


def _address(name: str) -> str:
    return f"kcl-processor/{hashlib.sha256(name.encode()).hexdigest()}"
