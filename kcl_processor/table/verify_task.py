"""One verification of a task: both tables described, compared by several processes, one result."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kcl_processor.clock import Clock
from kcl_processor.config.task import SKIP, Task
from kcl_processor.errors import ConfigError, DestinationError, SourceError
from kcl_processor.launch import preflight
from kcl_processor.launch.proof import Replica, replica_and_rules
from kcl_processor.launch.proof_part import Open, PartProof, digest
from kcl_processor.launch.switch_mark import SwitchLook
from kcl_processor.table import access
from kcl_processor.table.compare import Difference
from kcl_processor.table.copy_sides import limit
from kcl_processor.table.crew import Crew, processes_for
from kcl_processor.table.estimate import capacity
from kcl_processor.table.pace import Halt
from kcl_processor.table.repair import Outcome, Repair
from kcl_processor.table.scan import AT_ONCE, FEWEST, segments_for
from kcl_processor.table.sides import Kind, Pair, Sides, open_sides
from kcl_processor.table.table_reader import Segment, TableReader
from kcl_processor.table.verify_share import (
    LOOKING,
    Compared,
    Found,
    SegmentResult,
    Undecided,
    VerifyShare,
)

# A sample is taken from at least so many segments.
_SAMPLED_SEGMENTS = 100


@dataclass(frozen=True)
class VerifyOptions:
    """What to compare, and what to do about it.

    Attributes:
        segment: compare only this one.
        part: compare every so many-th segment, from this one on.
        sample: compare this share of the segments, chosen at random.
        max_rcu: read units a second on each side, or a percentage of its provisioned ones.
        patience: seconds that a source's item must stand still while the sides differ.
        consistent: scans show all that was written before them, at twice the read units.
        repair: make differences good; with ``dry_run`` only say how.
        delete_extra: delete what the source does not hold; with ``delete_kept`` also where
            deletions by time to live are skipped.
        processes: how many share the work; ``None`` chooses by the host's cores.
    """

    segments: int | None = None
    segment: Segment | None = None
    part: Segment | None = None
    sample: float | None = None
    max_rcu: str | None = None
    patience: float = 30.0
    consistent: bool = False
    repair: bool = False
    dry_run: bool = False
    delete_extra: bool = False
    delete_kept: bool = False
    processes: int | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is compared."""
        return self.segment is None and self.part is None and self.sample is None


class VerifyListener:
    """Told of a verification as it goes."""

    def difference(self, found: Difference, outcome: Outcome | None) -> None:
        """A pair of keys differs; ``outcome`` is what repairing it came to, if it was asked for."""

    def undecided(self, segment: int, pair: Pair) -> None:
        """A pair of keys never stood still long enough to be judged."""

    def progress(self, results: Sequence[SegmentResult], pending: int) -> None:
        """Called at least once a second; ``pending`` are suspects."""

    def part(self, part: PartProof) -> None:
        """A part of a proof was compared to its end."""

    def warn(self, text: str) -> None:
        """Something to be known."""


@dataclass(frozen=True)
class Verified:
    """The whole result.

    Attributes:
        settled: keys that differed at first and then no longer.
        replica: what was compared, as it was at the beginning.
        left: what is not equal.
    """

    results: list[SegmentResult]
    settled: int
    replica: Replica
    left: Open

    @property
    def has_strays(self) -> bool:
        """Whether the destination may hold more than what the source's items are laid to: there is
        what cannot be traced, and the keys that the scans have shown are not the same."""
        if not any(result.untraced for result in self.results):
            return False
        held = sum(result.held_keys for result in self.results)
        return held == 0 or held != sum(result.laid_keys for result in self.results)


def run_verify(
    task: Task, options: VerifyOptions, listener: VerifyListener, halt: Halt, clock: Clock
) -> Verified:
    """Compare a task's tables.

    Raises:
        SourceError, DestinationError, PermissionDenied: a side cannot be read, or written.
        OperatorError: a process of the command died.
        Halted: ``halt`` was set.
    """
    opened = open_tables(task, options, halt, clock)
    book = Book(chosen_segments(options, opened.table_bytes), listener, task)
    again = f"kcl-processor verify {task.name}, which begins anew"
    try:
        compare(opened, book, options, again, lambda: None, halt, clock)
    finally:
        halt.set()
    return book.verified(opened.replica)


def compare(
    opened: Opened,
    book: Book,
    options: VerifyOptions,
    again: str,
    on_turn: Callable[[], None],
    halt: Halt,
    clock: Clock,
    at_once: int = AT_ONCE,
) -> None:
    """Compare the segments of a book, in several processes.

    Args:
        at_once: segments that one process may have at work.
        again: what to type after a process has died.
        on_turn: called at least every second; what it raises ends the work.

    Raises:
        As :func:`run_verify` does.
    """
    count = processes_for(len(book.chosen), options.processes)
    share = VerifyShare(
        opened.sides, opened.repair, book.chosen, options.patience, count, halt, clock, at_once
    )

    def turn() -> None:
        halt.wait(0)
        on_turn()

    Crew(count, share.work, halt, again).run(book.hear, lambda: None, turn)


class Book:
    """What all processes have found.

    Args:
        chosen: the segments that are compared.
    """

    def __init__(self, chosen: list[Segment], listener: VerifyListener, task: Task) -> None:
        self.chosen = chosen
        self._listener = listener
        self._results = {part.number: SegmentResult(part.number) for part in chosen}
        self._open = {part.number: Open() for part in chosen}
        self._last: dict[int, Compared] = {}
        self._may_collide = task.rules is not None and task.rules.allow_collisions

    def hear(self, worker: int, report: Found | Undecided | Compared) -> None:
        """Enter what a process tells, and pass it on."""
        match report:
            case Found(difference, outcome):
                self._listener.difference(difference, outcome)
                self._note(difference, outcome)
            case Undecided(segment, pair):
                self._listener.undecided(segment, pair)
                self._open[segment].unsure += 1
            case Compared(results):
                self._results |= {result.segment: result for result in results}
                self._last[worker] = report
                for result in results:
                    if result.decided:
                        self.decided(result, self._open[result.segment])
                pending = sum(last.pending for last in self._last.values())
                self._listener.progress(list(self._results.values()), pending)

    def decided(self, result: SegmentResult, left: Open) -> None:
        """A segment is compared, and nothing of it is to be looked at again."""

    def verified(self, replica: Replica) -> Verified:
        """The whole."""
        settled = sum(last.settled for last in self._last.values())
        left = Open()
        for one in self._open.values():
            left.add(one)
        verified = Verified(list(self._results.values()), settled, replica, left)
        if not verified.has_strays:
            left.unsure -= sum(result.untraced for result in verified.results)
        return verified

    def _note(self, found: Difference, outcome: Outcome | None) -> None:
        """Keep in mind what is not equal."""
        left, kind = self._open[found.segment], found.kind
        if kind is Kind.KEPT or (kind is Kind.COLLIDING and self._may_collide):
            return
        if kind in (Kind.UNTRACED, Kind.FAILED):
            left.unsure += 1
        elif outcome is None or not outcome.equal:
            left.note(digest(*found.pair))


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
    if options.part:
        # A table's size changes from part to part, and what they are parts of must not.
        number, parts = options.part
        total = options.segments or FEWEST * parts
        return [Segment(at, total) for at in range(number, total, parts)]
    total = options.segments or segments_for(table_bytes)
    if options.sample is None:
        return [Segment(number, total) for number in range(total)]
    if not 0 < options.sample <= 1:
        raise ConfigError(f"A sample of {options.sample:.0%} is none.", "--sample 5%")
    total = max(total, _SAMPLED_SEGMENTS)
    numbers = random.sample(range(total), max(1, round(total * options.sample)))
    return [Segment(number, total) for number in sorted(numbers)]


@dataclass(frozen=True)
class Opened:
    """Both tables of a task, to be compared.

    Attributes:
        repair: makes differences good, when that was asked for.
        table_bytes: the source's size.
        rate: read units a second that each side may be asked for; ``None`` for no limit.
    """

    sides: Sides
    repair: Repair | None
    replica: Replica
    table_bytes: int
    rate: float | None


def open_tables(task: Task, options: VerifyOptions, halt: Halt, clock: Clock) -> Opened:
    """Both tables as they are, to be compared with some options. Connections are made later.

    Raises:
        SourceError, DestinationError, ConfigError, PermissionDenied: one cannot be.
    """
    source = preflight.describe(task.source, SourceError, "check the source")
    replica, transform = replica_and_rules(task, source)
    destination = preflight.describe(task.destination, DestinationError, "check the destination")
    readers, calls, rates = [], [], []
    items = source["ItemCount"]
    average = source["TableSizeBytes"] / items if items else 0.0
    for side, table, error in (
        (task.source, source, SourceError),
        (task.destination, destination, DestinationError),
    ):
        capable = capacity(table)
        rate = limit("--max-rcu", options.max_rcu, capable.read, provisioned=capable.provisioned)
        rates.append(rate)
        threads = AT_ONCE + LOOKING
        calls.append(access.calls(side, error, rate, threads, clock, halt.wait))
        # A page of a consistent scan costs twice as much.
        paged = rate / 2 if rate and options.consistent else rate
        page_items = access.page_items(paged, average)
        names = preflight.key_schema(table)
        readers.append(TableReader(calls[-1], names, page_items, consistent=options.consistent))
    keeps = task.ttl_deletes == SKIP and not options.delete_kept
    sides = open_sides(readers[0], readers[1], transform, keeps=keeps)
    repair = None
    if options.repair:
        delete_extra, dry_run = options.delete_extra, options.dry_run
        look = SwitchLook(task, clock)
        repair = Repair(sides, calls[1], delete_extra=delete_extra, dry_run=dry_run, may_lay=look)
    slowest = min((rate for rate in rates if rate is not None), default=None)
    return Opened(sides, repair, replica, source["TableSizeBytes"], slowest)
