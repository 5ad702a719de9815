"""CPU and memory of a subject's processes, sampled from outside."""

from __future__ import annotations

import psutil

from integration.worker import Worker

# Seconds between two samples.
INTERVAL = 0.25


class Usage:
    """What a worker and all its descendants use, by samples.

    The CPU of a process that ended is what its last sample said, so up to an interval of it is
    missed. Memory is resident memory, pages that processes share counted in each of them.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._cpu: dict[int, tuple[str, float]] = {}
        self.peak: dict[str, int] = {"jvm": 0, "child": 0, "together": 0}

    def cpu(self, role: str) -> float:
        """Return the CPU seconds of `jvm` or `child` so far."""
        return sum(seconds for of, seconds in list(self._cpu.values()) if of == role)

    def sample(self) -> None:
        """Look once."""
        resident = {"jvm": 0, "child": 0}
        for process in _family(self._worker.pid):
            try:
                role = "jvm" if process.name() == "java" else "child"
                times = process.cpu_times()
                resident[role] += process.memory_info().rss
            except psutil.Error:
                continue
            self._cpu[process.pid] = role, times.user + times.system
        for role, rss in (*resident.items(), ("together", sum(resident.values()))):
            self.peak[role] = max(self.peak[role], rss)


def _family(root: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(root)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []
