"""Names that one live process of a host holds at a time."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path


def hold(name: str, share: str = "") -> socket.socket | None:
    """Hold a name until the socket is closed or its last holder ends; ``None`` if it is held.

    An abstract unix socket belongs to the host and not to a folder, and leaves nothing behind
    after kill -9.

    Args:
        share: of several that hold a name side by side, each a share of its own.
    """
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(b"\0" + f"{_address(name)}{share}".encode())
    except OSError:
        lock.close()
        return None
    return lock


def is_held(name: str) -> bool:
    """Whether a live process on this host holds a name, the whole of it.

    The kernel's list of sockets is asked: trying the lock would hold it for a moment, in which
    somebody who is just starting would be refused.
    """
    return "" in _held(name)


def is_held_or_shared(name: str) -> bool:
    """Whether a live process on this host holds a name or a share of it."""
    return bool(_held(name))


def _held(name: str) -> list[str]:
    """The shares of a name that are held; the whole is one without a word."""
    address = f"@{_address(name)}"
    try:
        words = Path("/proc/net/unix").read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
    return [word.removeprefix(address) for word in words if word.startswith(address)]


def _address(name: str) -> str:
    return f"kcl-processor/{hashlib.sha256(name.encode()).hexdigest()}"
