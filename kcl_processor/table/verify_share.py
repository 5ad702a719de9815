"""What one of a verification's processes does: segments of both tables, until none is left."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from kcl_processor.clock import Clock
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.refusals import without_values
from kcl_processor.table.compare import WINDOWS_BYTES, Difference, SegmentPair
from kcl_processor.table.crew import Link, Numbers
from kcl_processor.table.pace import Halt
from kcl_processor.table.patience import Refused
from kcl_processor.table.repair import Outcome, Repair
from kcl_processor.table.scan import AT_ONCE, Rounds, at_once_in
from kcl_processor.table.sides import Kind, Pair, Sides
from kcl_processor.table.suspects import MOST, Suspects
from kcl_processor.table.table_reader import Page, Segment

_log = logging.getLogger(__name__)

# Threads of one process that look at suspects and repair; each has one call under way.
LOOKING = 8
# Seconds to sleep at most while suspects are not due.
_NAP = 0.5
# Seconds between two reports of how far a process is.
_REPORT_INTERVAL = 0.5
# What is a difference for sure, and is none any more once it was repaired.
_DIFFERING = (Kind.MISSING, Kind.EXTRA, Kind.CHANGED)


@dataclass(slots=True)
class SegmentResult:
    """What was found in one segment.

    Attributes:
        source, destination: items that the scans have shown.
        laid: those of the source that the rules lay at the destination; all of them without rules.
        missing, extra, changed, kept, untraced, colliding, failed: as :class:`Kind` has them.
        equal_again: of what is missing, extra or changed, that was repaired.
        laid_keys, held_keys: sums of :func:`digest` over the keys that the rules lay, and over the
            destination's; 0 without rules.
        done: both scans have ended.
        decided: nothing of it is to be looked at again, either.
    """

    segment: int
    source: int = 0
    laid: int = 0
    destination: int = 0
    missing: int = 0
    extra: int = 0
    changed: int = 0
    kept: int = 0
    untraced: int = 0
    colliding: int = 0
    failed: int = 0
    undecided: int = 0
    equal_again: int = 0
    laid_keys: int = 0
    held_keys: int = 0
    done: bool = False
    decided: bool = False

    @property
    def differing(self) -> int:
        """Keys that differ still."""
        return self.missing + self.extra + self.changed - self.equal_again


def digest(key: bytes) -> int:
    """Of a key; sums of these are one for two tables if their keys are, in whatever order."""
    return int.from_bytes(hashlib.blake2b(key, digest_size=16).digest())


@dataclass(frozen=True, slots=True)
class Found:
    """A key differs; ``outcome`` is what repairing it came to, if that was asked for."""

    difference: Difference
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Undecided:
    """A pair of keys never stood still long enough to be judged."""

    segment: int
    pair: Pair


@dataclass(frozen=True, slots=True)
class Compared:
    """How far a process is.

    Attributes:
        results: of the segments that it has moved on since it told last.
        pending: keys that are to be looked at again.
        settled: keys that differed at first and then no longer, since its beginning.
    """

    results: list[SegmentResult]
    pending: int
    settled: int


class VerifyShare:
    """The work of a verification, made before the processes are forked that share it.

    Args:
        sides: have opened no connection yet.
        repair: makes differences good; ``None`` leaves them.
        patience: seconds that a source's item must stand still while the sides differ.
        at_once: segments that one process may have at work.
    """

    def __init__(
        self,
        sides: Sides,
        repair: Repair | None,
        segments: list[Segment],
        patience: float,
        processes: int,
        halt: Halt,
        clock: Clock,
        at_once: int = AT_ONCE,
    ) -> None:
        self._sides = sides
        self._repair = repair
        self._segments = segments
        self._patience = patience
        self._numbers = Numbers(len(segments))
        self._at_once = min(at_once, at_once_in(processes, len(segments)))
        self._window_bytes = WINDOWS_BYTES // (processes * self._at_once)
        self._most_suspects = MOST // processes
        self._halt = halt
        self._clock = clock

    def work(self, link: Link) -> None:
        """Compare segments until none is left, and decide what was suspicious in them.

        Raises:
            OperatorError: a side cannot be read, or written.
            Halted: the work is to end.
        """
        with (
            ThreadPoolExecutor(self._at_once, thread_name_prefix="scan") as scanning,
            ThreadPoolExecutor(LOOKING, thread_name_prefix="look") as looking,
        ):
            try:
                told = _Telling(link, self._clock, of_keys=self._sides.may_not_trace)
                self._compare(told, scanning, looking)
            except BaseException:
                self._halt.set()
                raise

    def _compare(
        self, told: _Telling, scanning: ThreadPoolExecutor, looking: ThreadPoolExecutor
    ) -> None:
        suspects = Suspects(self._sides, looking, self._clock, self._patience, told.undecided)
        decision = _Decision(suspects, self._repair, looking, told, self._halt)
        rounds = Rounds(self._pairs(), scanning, self._halt, decision.turn, self._at_once)
        for fetched in rounds:
            for pair, (side, page) in fetched:
                told.met(pair, side, page)
                suspects.add(pair.segment.number, pair.meet(side, page))
                if pair.is_met:
                    told.ended(pair.segment.number)
            decision.decide(self._most_suspects)
        decision.decide(0)
        told.progress(suspects)

    def _pairs(self) -> Iterator[SegmentPair]:
        for at in self._numbers:
            yield SegmentPair(self._sides, self._segments[at], self._window_bytes)


class _Decision:
    """Looks at suspects, and makes good what differs."""

    def __init__(
        self,
        suspects: Suspects,
        repair: Repair | None,
        looking: ThreadPoolExecutor,
        told: _Telling,
        halt: Halt,
    ) -> None:
        self._suspects = suspects
        self._repair = repair
        self._looking = looking
        self._told = told
        self._halt = halt
        self._has_warned = False

    def decide(self, most: int) -> None:
        """Look at what is due, and go on until no more than ``most`` suspects are pending."""
        while True:
            self._make_good(list(self._suspects.look()))
            if len(self._suspects) <= most:
                return
            self.turn()
            self._halt.wait(min(_NAP, self._suspects.seconds_to_next()))

    def turn(self) -> None:
        """Tell how far it is, if it is time."""
        self._halt.wait(0)
        if self._told.is_due():
            self._told.progress(self._suspects)

    def _make_good(self, found: list[Difference]) -> None:
        outcomes: Iterator[Outcome | None] = iter([None] * len(found))
        if repair := self._repair:
            outcomes = self._looking.map(lambda part: self._repaired(repair, part), found)
        for part, outcome in zip(found, outcomes, strict=True):
            self._told.difference(part, outcome)

    def _repaired(self, repair: Repair, found: Difference) -> Outcome:
        """What becomes of a difference; an item that is never accepted keeps no other back."""
        if found.kind is Kind.FAILED:
            # Where it would lie is not known.
            return Outcome.FAILED
        try:
            return repair.apply(found.pair)
        except Refused as refused:
            # The next ones would say much the same.
            if not self._has_warned:
                self._has_warned = True
                item = Change(found.pair.key, found.source, "0", 0)
                _log.warning("%s It is left.", without_values(refused.message, item))
            return Outcome.REFUSED


class _Telling:
    """What a process has found, and what of it was told.

    Args:
        of_keys: sum up the keys of both sides.
    """

    def __init__(self, link: Link, clock: Clock, *, of_keys: bool) -> None:
        self._of_keys = of_keys
        self._link = link
        self._clock = clock
        self._results: dict[int, SegmentResult] = {}
        self._moved: set[int] = set()
        # Segments that were, and are not told to be decided.
        self._ended: set[int] = set()
        self._told_at = clock.elapsed()

    def met(self, pair: SegmentPair, side: int, page: Page) -> None:
        """A page was read."""
        number = pair.segment.number
        result = self._result(number)
        result.done = not pair.more()
        keys = sum(digest(item.key) for item in page.items) if self._of_keys else 0
        if side == 0:
            result.source += page.read
            result.laid += len(page.items)
            result.laid_keys += keys
        else:
            result.destination += page.read
            result.held_keys += keys
        for key, reason in page.failed:
            failed = Difference(number, Pair(key, key), Kind.FAILED, [], None, None, reason)
            self.difference(failed, None)

    def ended(self, segment: int) -> None:
        """All pages of a segment have met, and what was odd in them is among the suspects."""
        self._ended.add(segment)

    def difference(self, found: Difference, outcome: Outcome | None) -> None:
        """A pair differs."""
        result, name = self._result(found.segment), found.kind.value
        setattr(result, name, getattr(result, name) + 1)
        if outcome and outcome.equal and found.kind in _DIFFERING:
            result.equal_again += 1
        self._link.tell(Found(found, outcome))

    def undecided(self, segment: int, pair: Pair) -> None:
        """A pair is given up."""
        self._result(segment).undecided += 1
        self._link.tell(Undecided(segment, pair))

    def is_due(self) -> bool:
        """Whether to tell how far it is."""
        return self._clock.elapsed() - self._told_at >= _REPORT_INTERVAL

    def progress(self, suspects: Suspects) -> None:
        """Tell how far it is."""
        self._told_at = self._clock.elapsed()
        decided = self._ended - suspects.segments() if self._ended else set[int]()
        for number in decided:
            self._result(number).decided = True
        self._ended -= decided
        moved = [replace(self._results[number]) for number in sorted(self._moved)]
        self._moved.clear()
        self._link.tell(Compared(moved, len(suspects), suspects.settled))

    def _result(self, number: int) -> SegmentResult:
        self._moved.add(number)
        return self._results.setdefault(number, SegmentResult(number))
