"""Keys whose last word is not certain: a request for them went out, and its fate is unknown.

Such a request is made again at once. But the lost one may still be on its way, in a proxy or in a
service that is slow, and would then land on whatever was written meanwhile, for good. So its keys
are remembered until it must have settled, and are then written once more, as they were written
last. A checkpoint does not pass them before that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from kcl_processor.clock import Clock
from kcl_processor.replicate.change import Change

# Seconds after which a request has settled, once its connection was reset. Where packets vanish
# for half a minute behind a proxy, what it sends again lands within this time.
WINDOW = 60.0
# Bytes of images that are remembered at most; behind that a writer waits.
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(slots=True)
class _Doubt:
    """One key's.

    Attributes:
        change: what was written last, or was to be.
        lost: the changes with requests whose fate is unknown: when the last of them must have
            settled, and the change's sequence number.
    """

    change: Change
    lost: deque[tuple[float, int]] = field(default_factory=deque)


class Doubts:
    """What is in doubt, in the order in which it began; false when nothing is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[bytes, _Doubt] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def began(self, changes: Iterable[Change]) -> None:
        """A request went out, and what became of it is unknown."""
        until = self._clock.elapsed() + WINDOW
        for change in changes:
            held = self._held.setdefault(change.key, _Doubt(change))
            held.change = change
            number = int(change.sequence_number)
            # One for all requests of a change: an outage of hours is an attempt every few seconds.
            if held.lost and held.lost[-1][1] == number:
                held.lost.pop()
            held.lost.append((until, number))

    def applied(self, changes: Iterable[Change], asked_at: float) -> None:
        """The destination took these, in a request that was made at ``asked_at``."""
        for change in changes if self._held else ():
            held = self._held.get(change.key)
            if held is None:
                continue
            held.change = change
            self._settle(held, asked_at)

    def _settle(self, held: _Doubt, asked_at: float) -> None:
        while held.lost and held.lost[0][0] <= asked_at:
            held.lost.popleft()
        if not held.lost:
            del self._held[held.change.key]

    def refused(self, change: Change) -> None:
        """The destination never takes this change: not later either."""
        held = self._held.get(change.key)
        if held and held.change is change:
            del self._held[change.key]

    def due(self) -> list[Change]:
        """What is to be written once more now."""
        now = self._clock.elapsed()
        return [held.change for held in self._held.values() if now >= held.lost[-1][0]]

    def oldest(self) -> str | None:
        """The sequence number of a change in the first batch in doubt, if there is one."""
        return str(min(held.lost[0][1] for held in self._held.values())) if self._held else None

    def is_full(self) -> bool:
        """Whether no more may be remembered."""
        return sum(len(held.change.image or b"") for held in self._held.values()) > _MOST_BYTES
