"""One verification of a task: both tables compared, suspects decided, differences made good."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, DestinationError, SourceError
from kcl_processor.launch import preflight
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.table import access
from kcl_processor.table.compare import Difference, Kind, SegmentPair
from kcl_processor.table.copy_task import limit
from kcl_processor.table.estimate import capacity
from kcl_processor.table.pace import Halt
from kcl_processor.table.repair import Outcome, Repair
from kcl_processor.table.scan import AT_ONCE, Rounds, segments_for
from kcl_processor.table.suspects import MOST, Suspects
from kcl_processor.table.table_reader import Segment, TableReader

# Threads that look at suspects and repair; each has one call under way.
_LOOKING = 8
# A sample is taken from at least so many segments.
_SAMPLED_SEGMENTS = 100
# Seconds to sleep at most while suspects are not due.
_NAP = 0.5


@dataclass(frozen=True)
class VerifyOptions:
    """What to compare, and what to do about it.

    Attributes:
        segment: compare only this one.
        sample: compare this share of the segments, chosen at random.
        max_rcu: read units a second on each side, or a percentage of its provisioned ones.
        patience: seconds that a source's item must stand still while the sides differ.
        repair: make differences good; with ``dry_run`` only say how.
    """

    segments: int | None = None
    segment: Segment | None = None
    sample: float | None = None
    max_rcu: str | None = None
    patience: float = 30.0
    repair: bool = False
    dry_run: bool = False
    delete_extra: bool = False

    @property
    def whole(self) -> bool:
        """Whether everything is compared."""
        return self.segment is None and self.sample is None


@dataclass(slots=True)
class SegmentResult:
    """What was found in one segment. ``equal_again`` counts repaired differences."""

    segment: int
    source: int = 0
    destination: int = 0
    missing: int = 0
    extra: int = 0
    changed: int = 0
    undecided: int = 0
    equal_again: int = 0
    done: bool = False

    @property
    def differing(self) -> int:
        """Keys that differ still."""
        return self.missing + self.extra + self.changed - self.equal_again


class VerifyListener:
    """Told of a verification as it goes."""

    def difference(self, found: Difference, outcome: Outcome | None) -> None:
        """A key differs; ``outcome`` is what repairing it came to, if that was asked for."""

    def undecided(self, segment: int, key: bytes) -> None:
        """A key never stood still long enough to be judged."""

    def progress(self, results: Sequence[SegmentResult], pending: int) -> None:
        """Called at least once a second; ``pending`` are suspects."""


@dataclass(frozen=True)
class Verified:
    """The whole result; ``settled`` counts keys that differed at first and then no longer."""

    results: list[SegmentResult]
    settled: int


def run_verify(
    task: Task, options: VerifyOptions, listener: VerifyListener, halt: Halt, clock: Clock
) -> Verified:
    """Compare a task's tables.

    Raises:
        SourceError, DestinationError, PermissionDenied: a side cannot be read, or written.
        Halted: ``halt`` was set.
    """
    with (
        ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scan") as scanning,
        ThreadPoolExecutor(_LOOKING, thread_name_prefix="look") as looking,
    ):
        try:
            return _Verification(task, options, listener, halt, clock, scanning, looking).run()
        except BaseException:
            halt.set()
            raise


class _Verification:
    def __init__(
        self,
        task: Task,
        options: VerifyOptions,
        listener: VerifyListener,
        halt: Halt,
        clock: Clock,
        scanning: ThreadPoolExecutor,
        looking: ThreadPoolExecutor,
    ) -> None:
        self._listener = listener
        self._halt = halt
        self._scanning = scanning
        self._looking = looking
        source, destination, repair = _sides(task, options, halt, clock)
        self._repair = repair
        self._readers = source, destination
        table = preflight.describe(task.source, SourceError, "check the source")
        chosen = chosen_segments(options, table["TableSizeBytes"])
        self._chosen = chosen
        self._results = {part.number: SegmentResult(part.number) for part in chosen}
        self._suspects = Suspects(
            source, destination, looking, clock, options.patience, self._undecided
        )

    def run(self) -> Verified:
        pairs = (SegmentPair(*self._readers, part) for part in self._chosen)
        for fetched in Rounds(iter(pairs), self._scanning, self._halt, self._turn):
            for pair, (side, page) in fetched:
                self._met(pair, side, len(page.items))
                self._suspects.add(pair.segment.number, pair.meet(side, page))
            self._decide(most=MOST)
        self._decide(most=0)
        return Verified(list(self._results.values()), self._suspects.settled)

    def _met(self, pair: SegmentPair, side: int, items: int) -> None:
        result = self._results[pair.segment.number]
        result.done = not pair.more()
        if side == 0:
            result.source += items
        else:
            result.destination += items

    def _decide(self, most: int) -> None:
        """Look at what is due, and go on until no more than ``most`` suspects are pending."""
        while True:
            self._make_good(list(self._suspects.look()))
            if len(self._suspects) <= most:
                return
            self._turn()
            self._halt.wait(min(_NAP, self._suspects.seconds_to_next()))

    def _make_good(self, found: list[Difference]) -> None:
        outcomes: Iterator[Outcome | None] = iter([None] * len(found))
        if self._repair:
            outcomes = self._looking.map(self._repair.apply, (part.key for part in found))
        for part, outcome in zip(found, outcomes, strict=True):
            self._count(part, outcome)
            self._listener.difference(part, outcome)

    def _count(self, found: Difference, outcome: Outcome | None) -> None:
        result = self._results[found.segment]
        match found.kind:
            case Kind.MISSING:
                result.missing += 1
            case Kind.EXTRA:
                result.extra += 1
            case Kind.CHANGED:
                result.changed += 1
        if outcome and outcome.equal:
            result.equal_again += 1

    def _undecided(self, segment: int, key: bytes) -> None:
        self._results[segment].undecided += 1
        self._listener.undecided(segment, key)

    def _turn(self) -> None:
        self._halt.wait(0)
        self._listener.progress(list(self._results.values()), len(self._suspects))


def chosen_segments(options: VerifyOptions, table_bytes: int) -> list[Segment]:
    """The segments to compare, in their order.

    Raises:
        ConfigError: there is no such segment, or the sample is not a share.
    """
    if options.segment:
        number, total = options.segment
        if not 0 <= number < total:
            raise ConfigError(
                f"There is no segment {number} of {total}.", f"--segment 0/{total} to {total - 1}/…"
            )
        return [options.segment]
    total = options.segments or segments_for(table_bytes)
    if options.sample is None:
        return [Segment(number, total) for number in range(total)]
    if not 0 < options.sample <= 1:
        raise ConfigError(f"A sample of {options.sample:.0%} is none.", "--sample 5%")
    total = max(total, _SAMPLED_SEGMENTS)
    numbers = random.sample(range(total), max(1, round(total * options.sample)))
    return [Segment(number, total) for number in sorted(numbers)]


def _sides(
    task: Task, options: VerifyOptions, halt: Halt, clock: Clock
) -> tuple[TableReader, TableReader, Repair | None]:
    """Both readers, and what repairs, when that is asked for."""
    source = preflight.describe(task.source, SourceError, "check the source")
    keys = preflight.key_schema(source)
    preflight.check_destination(task.destination, keys, Incarnation.of(source))
    destination = preflight.describe(task.destination, DestinationError, "check the destination")
    readers, calls = [], []
    items = source["ItemCount"]
    average = source["TableSizeBytes"] / items if items else 0.0
    for side, table, error in (
        (task.source, source, SourceError),
        (task.destination, destination, DestinationError),
    ):
        found = capacity(table)
        rate = limit("--max-rcu", options.max_rcu, found.read, provisioned=found.provisioned)
        threads = AT_ONCE + _LOOKING
        calls.append(access.calls(side, error, rate, threads, clock, halt.wait))
        readers.append(TableReader(calls[-1], keys, access.page_items(rate, average)))
    repair = None
    if options.repair:
        repair = Repair(
            readers[0],
            readers[1],
            calls[1],
            delete_extra=options.delete_extra,
            dry_run=options.dry_run,
        )
    return readers[0], readers[1], repair
