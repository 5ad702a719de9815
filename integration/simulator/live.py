"""Live writing at a rate, with hot keys, deletions and rollovers."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, replace
from typing import Any

from integration.simulator.source import Source

_TICK = 0.01


@dataclass(frozen=True, slots=True)
class Load:
    """What is written: `rate` changes a second over a window of `keys` items.

    `delete_share` of the changes are deletions, and since an item is deleted only once, each
    moves the window on by one item. `hot_share` of the changes fall on the first `hot_keys` items;
    every `rollover_every` seconds each open shard gets one child (0: never).
    """

    rate: float = 0.0
    keys: int = 1000
    hot_keys: int = 10
    hot_share: float = 0.0
    delete_share: float = 0.05
    rollover_every: float = 0.0


class LiveWriter:
    """Makes changes at the source; `seed` makes their choice repeatable."""

    def __init__(self, source: Source, load: Load, seed: int = 1) -> None:
        self._source = source
        self._random = random.Random(seed)
        self.load = load

    def change_load(self, settings: dict[str, Any]) -> None:
        """Replace some settings of the load. Raises TypeError for an unknown one."""
        self.load = replace(self.load, **settings)

    def write(self, changes: int) -> None:
        """Make `changes` changes at once."""
        throw, load = self._random.random, self.load
        for _ in range(changes):
            if throw() < load.hot_share:
                number = int(throw() * load.hot_keys)
            else:
                number = len(self._source.deletions) + int(throw() * load.keys)
            self._source.change(number, delete=throw() < load.delete_share)

    async def run(self) -> None:
        """Write until cancelled; a pause of the loop is made up for, up to a second's changes."""
        owed, last, rolled = 0.0, time.monotonic(), time.monotonic()
        while True:
            await asyncio.sleep(_TICK)
            now = time.monotonic()
            owed = min(owed + (now - last) * self.load.rate, max(1.0, self.load.rate))
            last = now
            self.write(int(owed))
            owed -= int(owed)
            if self.load.rollover_every and now - rolled >= self.load.rollover_every:
                rolled = now
                self._source.stream.divide_lineage(None, 1)
