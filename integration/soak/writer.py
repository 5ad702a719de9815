"""What is written while it soaks: items put, changed and deleted, quick ones and slow ones.

The simulator's own load makes most of it, at a pace that changes. Beside it single items are made,
deleted and made again, their changes near enough to be coalesced or far enough apart to meet a
restart. Versions only grow, so that an old image is told from a new one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from integration.simulator.client import SimulatorProcess

# Of the usual rate: a lull, the usual, a rush.
_PACES = (0.1, 1.0, 1.0, 3.0)
_PACE_SECONDS = (5.0, 30.0)
_LOAD = {"keys": 500, "hot_keys": 10, "hot_share": 0.2, "delete_share": 0.05}
# The numbers of items that are deleted and made again lie above those of the load.
_FIRST = 90_000_000
# Whether each change of such an item is a deletion. An item is deleted once, see `Source.change`.
_LIVES = ((False, True, False), (False, False, True), (False, True, False, False), (False, True))
_APART = (0.01, 4.0)
# A stream keeps a change for 24 hours; here time runs faster.
_KEPT_SECONDS = 600.0
_TRIM_SECONDS = 60.0


@dataclass
class Writer:
    """Writes to a simulated source until it is told to stop.

    Args:
        rate: changes a second, usually.
        clock: seconds, of any beginning.
    """

    simulator: SimulatorProcess
    rate: float
    dice: random.Random
    clock: Callable[[], float]
    _due: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._steps = self._lives()

    def look(self) -> None:
        """Write what is due."""
        if self._is_due("pace", _PACE_SECONDS):
            load = {**_LOAD, "rate": self.rate * self.dice.choice(_PACES)}
            self.simulator.control(load=load)
        if self._is_due("life", _APART):
            number, deleted = next(self._steps)
            self.simulator.control(change={"number": number, "delete": deleted})
        if self._is_due("trim", (_TRIM_SECONDS, _TRIM_SECONDS)):
            self.simulator.control(trim={"seconds": _KEPT_SECONDS, "expire": True})

    def stop(self) -> None:
        """Write no more."""
        self.simulator.control(load={"rate": 0.0})

    def _is_due(self, what: str, apart: tuple[float, float]) -> bool:
        if self.clock() < self._due.get(what, 0.0):
            return False
        self._due[what] = self.clock() + self.dice.uniform(*apart)
        return True

    def _lives(self) -> Iterator[tuple[int, bool]]:
        number = _FIRST
        while True:
            for deleted in self.dice.choice(_LIVES):
                yield number, deleted
            number += 1
