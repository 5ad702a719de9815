"""Keys that a report says differ, looked at again: these, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.launch.proof_part import digest
from kcl_processor.table.compare import Difference, Seen
from kcl_processor.table.pace import Halt
from kcl_processor.table.patience import Refused
from kcl_processor.table.proof_notes import note_settled
from kcl_processor.table.repair import Outcome
from kcl_processor.table.sides import Kind, Pair
from kcl_processor.table.suspects import Suspects
from kcl_processor.table.table_reader import Failed
from kcl_processor.table.verify_share import LOOKING
from kcl_processor.table.verify_task import Opened, VerifyListener, VerifyOptions, open_tables
from kcl_processor.transform.transform import RuleFailed

SETTLED, UNDECIDED = "settled", "undecided"
# Lines that are looked at together; each pends for as long as it differs, up to the patience.
_AT_ONCE = 10_000
_NAP = 0.5


@dataclass(frozen=True)
class Reported:
    """A line of a report.

    Attributes:
        kind: what it was then.
        pair: its keys; of one whose rule failed the source's, twice.
    """

    kind: str
    pair: Pair
    segment: int


@dataclass(frozen=True)
class Rechecked:
    """What has become of a line: a kind of difference, ``settled`` or ``undecided``.

    Attributes:
        outcome: what repairing it came to, if that was asked for.
    """

    reported: Reported
    now: str
    outcome: Outcome | None = None

    @property
    def is_settled(self) -> bool:
        """Whether both sides are equal in it."""
        return self.now == SETTLED or bool(self.outcome and self.outcome.equal)


def run_recheck(
    task: Task,
    options: VerifyOptions,
    reported: Sequence[Reported],
    listener: VerifyListener,
    halt: Halt,
    clock: Clock,
) -> list[Rechecked]:
    """Look again at the keys of a report, and tell the task's proof which are settled.

    Raises:
        SourceError, DestinationError, PermissionDenied: a side cannot be read, or written.
        Halted: ``halt`` was set.
    """
    opened = open_tables(task, options, halt, clock)
    found: list[Rechecked] = []
    with ThreadPoolExecutor(LOOKING, thread_name_prefix="look") as pool:
        for start in range(0, len(reported), _AT_ONCE):
            lines = reported[start : start + _AT_ONCE]
            found += _Look(opened, options.patience, listener, pool, halt, clock).again(lines)
    equal = {digest(*one.reported.pair) for one in found if one.is_settled}
    note_settled(task, opened.replica, equal, clock, halt.wait, listener.warn)
    return found


class _Look:
    """One look at some lines."""

    def __init__(
        self,
        opened: Opened,
        patience: float,
        listener: VerifyListener,
        pool: ThreadPoolExecutor,
        halt: Halt,
        clock: Clock,
    ) -> None:
        self._opened = opened
        self._listener = listener
        self._halt = halt
        self._now: dict[Pair, tuple[str, Outcome | None]] = {}
        self._suspects = Suspects(opened.sides, pool, clock, patience, self._undecided)

    def again(self, lines: Sequence[Reported]) -> Iterator[Rechecked]:
        """What has become of each line."""
        pairs = [self._pair(line) for line in lines]
        for line, pair in zip(lines, pairs, strict=True):
            if pair:
                self._suspects.add(line.segment, [(pair, Seen.BOTH)])
        while len(self._suspects):
            for difference in list(self._suspects.look()):
                self._differs(difference)
            self._halt.wait(min(_NAP, self._suspects.seconds_to_next()))
        for line, pair in zip(lines, pairs, strict=True):
            yield Rechecked(line, *self._become(pair or line.pair))

    def _become(self, pair: Pair) -> tuple[str, Outcome | None]:
        """What has become of a pair. If its rule fails by now, that is told of the source's key."""
        if pair.origin is not None:
            failed = self._now.get(Pair(pair.origin, pair.origin))
            if failed and failed[0] == Kind.FAILED.value:
                return failed
        return self._now.get(pair, (SETTLED, None))

    def _pair(self, line: Reported) -> Pair | None:
        """The keys to look at; ``None`` for an item whose rule fails still, and for one that is
        laid nowhere now, and lay where its key alone does not tell.

        Of an item whose rule failed it was not known where it would lie.
        """
        if line.kind != Kind.FAILED.value or line.pair.origin is None:
            return line.pair
        laid = self._opened.sides.laid(line.pair.origin)
        if isinstance(laid, Failed):
            self._differs(
                Difference(line.segment, line.pair, Kind.FAILED, [], None, None, laid.reason)
            )
            return None
        if laid:
            return Pair(laid.key, laid.origin)
        # What was laid of it before its rule failed may lie there still.
        place = None
        with suppress(RuleFailed):
            place = self._opened.sides.place(line.pair.origin)
        if place is None:
            self._undecided(line.segment, line.pair)
            return None
        return Pair(place, line.pair.origin)

    def _differs(self, found: Difference) -> None:
        outcome = None
        if self._opened.repair and found.kind is not Kind.FAILED:
            try:
                outcome = self._opened.repair.apply(found.pair)
            except Refused:
                outcome = Outcome.REFUSED
        self._now[found.pair] = found.kind.value, outcome
        self._listener.difference(found, outcome)

    def _undecided(self, segment: int, pair: Pair) -> None:
        self._now[pair] = UNDECIDED, None
        self._listener.undecided(segment, pair)
