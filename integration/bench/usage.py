"""CPU and memory of a subject's processes, as the kernel accounts for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from integration.worker import Worker

# Seconds between two looks at the memory; one costs the kernel a walk over every page.
INTERVAL = 2.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_ROLES = ("jvm", "child")


@dataclass
class Peak:
    """The most that was seen at a look, in bytes.

    Attributes:
        resident: with pages that processes share counted in each of them.
        proportional: with those divided among them, so that the sum is what the processes take.
    """

    resident: int = 0
    proportional: int = 0


class Usage:
    """What a worker and all its descendants use; `child` is all that is not the JVM."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.begin()

    def begin(self) -> None:
        """Forget what was seen at earlier looks."""
        self.peak = {role: Peak() for role in (*_ROLES, "together")}
        self.threads = 0
        self.processes = 0

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds of `jvm` and `child` so far, those of ended children included."""
        seconds = dict.fromkeys(_ROLES, 0.0)
        for pid in _family(self._worker.pid):
            try:
                name, rest = _stat(pid)
            except OSError:
                continue
            own, ended = rest[11] + rest[12], rest[13] + rest[14]
            seconds["jvm" if name == "java" else "child"] += own / _TICKS
            seconds["child"] += ended / _TICKS
        return seconds

    def sample(self) -> None:
        """Look once at memory, threads and processes."""
        seen = {role: Peak() for role in self.peak}
        family = list(_family(self._worker.pid))
        for pid in family:
            try:
                name, rest = _stat(pid)
                rollup = _rollup(pid)
            except OSError:
                continue
            role = "jvm" if name == "java" else "child"
            if role == "jvm":
                self.threads = max(self.threads, rest[17])
            for into in (seen[role], seen["together"]):
                into.resident += rollup["Rss"]
                into.proportional += rollup["Pss"]
        self.processes = max(self.processes, len(family))
        for role, peak in self.peak.items():
            peak.resident = max(peak.resident, seen[role].resident)
            peak.proportional = max(peak.proportional, seen[role].proportional)


def proportional(root: int) -> int:
    """Bytes of a process and its descendants, with what they share divided among them."""
    total = 0
    for pid in _family(root):
        # One of them may have just ended.
        with suppress(OSError):
            total += _rollup(pid)["Pss"]
    return total


def _family(root: int) -> Iterator[int]:
    yield root
    try:
        tasks = list((_PROC / str(root) / "task").iterdir())
    except OSError:
        return
    for task in tasks:
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _stat(pid: int) -> tuple[str, list[int]]:
    """Its name, and the fields of `proc_pid_stat(5)` from the state on, which counts as 0."""
    text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    name, _, rest = text.partition("(")[2].rpartition(") ")
    return name, [0, *map(int, rest.split()[1:])]


def _rollup(pid: int) -> dict[str, int]:
    """The lines of `smaps_rollup` that are sizes, in bytes."""
    sizes = {}
    for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]:
        name, _, size = line.partition(":")
        sizes[name] = int(size.split()[0]) * 1024
    return sizes
