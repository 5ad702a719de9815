"""CPU and memory of a subject's processes, sampled from outside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import psutil

_INTERVAL = 0.25


class Usage:
    """Samples a process and all its descendants while the block runs.

    The CPU of a process that ended is what its last sample said, so up to an interval of it is
    missed. Memory is resident memory, pages that processes share counted in each of them.
    """

    def __init__(self, root: Callable[[], int]) -> None:
        self._root = root
        self._cpu: dict[int, tuple[str, float]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak: dict[str, int] = {"jvm": 0, "child": 0, "together": 0}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def cpu(self, role: str) -> float:
        """Return the CPU seconds of `jvm` or `child` so far."""
        return sum(seconds for of, seconds in list(self._cpu.values()) if of == role)

    def _sample(self) -> None:
        while not self._over.wait(_INTERVAL):
            resident = {"jvm": 0, "child": 0}
            for process in _family(self._root()):
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
