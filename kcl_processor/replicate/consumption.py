"""What the processes of a worker have consumed of the destination, in memory that they share.

The launcher keeps a worker within its share of a limit (``WriteAccount.java``), and asks the fork
server, which forked them all, what the writes did cost.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable, Sequence
from math import ceil

from kcl_processor.aws.wire import Answer
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.destination import Destination

# Each of the eight bytes of a float: one for whether it is counted, one for what has ended, and one
# a process.
_COUNTING, _ENDED, _FIRST = range(3)
_PLACES = 4096 // 8


class Consumption:
    """Capacity units, counted by many threads of many processes, each in a place of its own.

    There is no lock that a process could take with it when it is killed: a place has one writer,
    and eight bytes in their place are written at once.
    """

    def __init__(self) -> None:
        # Anonymous, and the same for all that are forked from here.
        self._places = memoryview(mmap.mmap(-1, _PLACES * 8)).cast("d")
        self._lock = threading.Lock()
        self._ours = _FIRST
        self._free = list(range(_PLACES - 1, _FIRST - 1, -1))

    @property
    def is_counted(self) -> bool:
        """Whether somebody wants to know."""
        return self._places[_COUNTING] > 0

    def add(self, units: float) -> None:
        """Count what a call of this process consumed."""
        with self._lock:
            self._places[self._ours] += units

    def total(self) -> float:
        """What all have consumed; from the first time that this is asked it is counted."""
        self._places[_COUNTING] = 1.0
        return sum(self._places[_ENDED:])

    def place(self) -> int:
        """A place for a process that is about to be forked."""
        return self._free.pop()

    def take(self, place: int) -> None:
        """This process is the one that counts there."""
        self._ours = place

    def end(self, place: int) -> None:
        """The process that counted there has ended; what it counted stays in the total."""
        self._places[_ENDED] += self._places[place]
        self._places[place] = 0.0
        self._free.append(place)


class CountedTable:
    """A destination whose calls are counted while somebody wants to know."""

    def __init__(self, destination: Destination, consumption: Consumption) -> None:
        self.table = destination.table
        self._destination = destination
        self._consumption = consumption

    def send(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Answer:
        """As the destination does."""
        answer = self._destination.send(changes, remaining)
        if self._consumption.is_counted:
            self._consumption.add(_units(changes, answer))
        return answer


def _units(changes: Sequence[Change], answer: Answer) -> float:
    """What nobody tells is what the items weigh; a call that is in doubt may have been applied."""
    weight = sum(
        item_units(change.key if change.image is None else change.image) for change in changes
    )
    return weight if answer.in_doubt else answer.units(weight)


def item_units(image: bytes) -> float:
    """Write units of one item: 1 KB each (developer guide, "Read and write operations"), also where
    its condition fails ("Condition expressions")."""
    return float(max(1, ceil(len(image) / 1024)))
