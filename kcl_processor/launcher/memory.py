"""How much memory the daemon's JVM may take, of what this machine or container has."""

from __future__ import annotations

import os
from pathlib import Path

_MB = 1 << 20
# What one shard needs and a few more, and what 512 with a backlog of large items hold at once.
_LEAST_MB, _MOST_MB = 256, 2048
_SHARE = 4
# Of cgroups version 2 and 1, as a container sees its own.
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


def heap_mb(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """The most that the heap may grow to, in MB: it is taken as shards need it, not at once."""
    return max(_LEAST_MB, min(_MOST_MB, _available(cgroup) // _SHARE // _MB))


def _available(cgroup: Path) -> int:
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for name in _LIMITS:
        try:
            limits.append(int((cgroup / name).read_text()))
        except (OSError, ValueError):
            # Not this version of cgroups, or "max": no limit.
            continue
    return min(limits)
