"""What can happen to a fleet, and a plan of it that a seed repeats.

A kind is a name, the place it strikes, how long it lasts, and, where the fault is in the answers of
a service, the rules of the simulator that make it. `strikes` knows the others by their names.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# Seconds between two faults. The longest of them last longer, so that some overlap.
APART = (2.0, 12.0)


class Place(StrEnum):
    """Where a fault strikes: what all workers share, or one worker's processes or lease table."""

    SOURCE = "source"
    DESTINATION = "destination"
    STREAM = "stream"
    WORKER = "worker"
    LEASES = "leases"


@dataclass(frozen=True)
class Rule:
    """A rule of the simulator (`integration.simulator.faults`).

    share: the greatest; an event draws its own from a fifth of it on. None is always 1.
    milliseconds: the greatest, in the same way.
    """

    kind: str
    operation: str = "*"
    share: float | None = None
    milliseconds: float = 0.0

    def at(self, strength: float) -> dict[str, Any]:
        """The rule for an event of a strength from 0 to 1."""
        part = 0.2 + 0.8 * strength
        return {
            "kind": self.kind,
            "operation": self.operation,
            "share": 1.0 if self.share is None else round(self.share * part, 3),
            "milliseconds": round(self.milliseconds * part, 1),
        }


@dataclass(frozen=True)
class Kind:
    """A kind of fault; it lasts from `shortest` to `longest` seconds, or is over at once."""

    place: Place
    shortest: float = 0.0
    longest: float = 0.0
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Event:
    """A fault of the plan.

    at: seconds after the beginning.
    worker: the number of the worker that is struck, where one is.
    strength, which: dice from 0 to 1, for how hard it strikes and which child or lineage.
    """

    at: float
    kind: str
    seconds: float
    worker: int
    strength: float
    which: float


_THROTTLED = "ProvisionedThroughputExceededException"
_CREDENTIALS = (Rule("UnrecognizedClientException"),)
_WRITE = "BatchWriteItem"
_READ = "GetRecords"

KINDS: Mapping[str, Kind] = {
    # Processes: killed, stopped, asleep for less and for more than KCL's failover time of 10 s.
    "kill-host": Kind(Place.WORKER),
    "kill-daemon": Kind(Place.WORKER),
    "kill-child": Kind(Place.WORKER),
    "stop": Kind(Place.WORKER),
    "nap-host": Kind(Place.WORKER, 1, 7),
    "nap-daemon": Kind(Place.WORKER, 1, 7),
    "nap-child": Kind(Place.WORKER, 1, 7),
    "sleep-host": Kind(Place.WORKER, 12, 30),
    "sleep-daemon": Kind(Place.WORKER, 12, 30),
    "sleep-child": Kind(Place.WORKER, 12, 30),
    # The stream: its shards end, and changes leave it behind a worker that sleeps, or behind all.
    "rollover": Kind(Place.STREAM),
    "rollover-lineage": Kind(Place.STREAM),
    "split": Kind(Place.STREAM),
    "trim-asleep": Kind(Place.WORKER, 6, 20),
    "trim-away": Kind(Place.DESTINATION, 8, 25, (Rule("InternalServerError", _WRITE),)),
    # Reads of the source.
    "source-throttled": Kind(
        Place.SOURCE,
        *(3, 25),
        (Rule(_THROTTLED, _READ, 0.9), Rule("LimitExceededException", "DescribeStream", 0.9)),
    ),
    "source-errors": Kind(Place.SOURCE, 3, 25, (Rule("InternalServerError", share=0.9),)),
    "source-resets": Kind(Place.SOURCE, 3, 25, (Rule("reset", share=0.9),)),
    "source-slow": Kind(Place.SOURCE, 3, 25, (Rule("latency", milliseconds=4000),)),
    "source-silent": Kind(Place.SOURCE, 3, 25, (Rule("silence", "*", 0.5, 20_000),)),
    "source-empty": Kind(Place.SOURCE, 3, 25, (Rule("empty", _READ, 0.9),)),
    "source-expired": Kind(Place.SOURCE, 3, 25, (Rule("ExpiredIteratorException", _READ, 0.9),)),
    "source-away": Kind(Place.SOURCE, 3, 25, (Rule("reset"),)),
    "source-refused": Kind(Place.SOURCE, 3, 20, _CREDENTIALS),
    "source-hollow": Kind(Place.SOURCE, 2, 10, (Rule("hollow", share=0.5),)),
    # Writes to the destination. Answers that vanish are those to writes that were applied.
    "destination-throttled": Kind(
        Place.DESTINATION, 3, 25, (Rule(_THROTTLED, _WRITE, 0.9), Rule("unprocessed", _WRITE, 0.6))
    ),
    "destination-errors": Kind(
        Place.DESTINATION,
        *(3, 25),
        (Rule("InternalServerError", share=0.6), Rule("ServiceUnavailable", share=0.6)),
    ),
    "destination-resets": Kind(Place.DESTINATION, 3, 25, (Rule("reset", share=0.9),)),
    "destination-vanished": Kind(
        Place.DESTINATION,
        *(3, 25),
        (Rule("reset-after", _WRITE, 0.6), Rule("silence-after", _WRITE, 0.3, 20_000)),
    ),
    "destination-slow": Kind(Place.DESTINATION, 3, 25, (Rule("latency", milliseconds=8000),)),
    "destination-silent": Kind(Place.DESTINATION, 3, 25, (Rule("silence", "*", 0.6, 20_000),)),
    "destination-away": Kind(Place.DESTINATION, 5, 40),
    "destination-refused": Kind(Place.DESTINATION, 3, 20, _CREDENTIALS),
    "destination-hollow": Kind(Place.DESTINATION, 2, 10, (Rule("hollow", _WRITE, 0.5),)),
    # One worker's way to the lease table. Away and silent are a partition.
    "leases-throttled": Kind(Place.LEASES, 3, 25, (Rule(_THROTTLED, share=0.9),)),
    "leases-errors": Kind(Place.LEASES, 3, 25, (Rule("InternalServerError", share=0.9),)),
    "leases-slow": Kind(Place.LEASES, 3, 25, (Rule("latency", milliseconds=4000),)),
    "leases-vanished": Kind(Place.LEASES, 3, 25, (Rule("reset-after", share=0.6),)),
    "leases-away": Kind(Place.LEASES, 5, 40),
    "leases-silent": Kind(Place.LEASES, 5, 40, (Rule("silence", milliseconds=60_000),)),
    "leases-refused": Kind(Place.LEASES, 3, 20, _CREDENTIALS),
}


def plan(seed: int, seconds: float, workers: int, kinds: Sequence[str]) -> list[Event]:
    """Draw the faults of so many seconds.

    Every kind is drawn once before any is drawn again, and none while it lasts. All faults are over
    at the end. The same arguments give the same plan.
    """
    dice = random.Random(seed)
    events: list[Event] = []
    deck: list[str] = []
    busy: dict[str, float] = {}
    for at in _moments(dice, seconds):
        deck = deck or dice.sample(kinds, len(kinds))
        name = next((name for name in deck if busy.get(name, 0.0) <= at), None)
        if name is None:
            continue
        deck.remove(name)
        kind = KINDS[name]
        lasts = min(dice.uniform(kind.shortest, kind.longest), seconds - at)
        worker = dice.randrange(workers)
        events.append(Event(at, name, round(lasts, 1), worker, dice.random(), dice.random()))
        busy[name] = at + lasts
    return events


def _moments(dice: random.Random, seconds: float) -> Iterator[float]:
    at = 0.0
    while (at := round(at + dice.uniform(*APART), 1)) < seconds:
        yield at
