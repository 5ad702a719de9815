"""A proof kept up: a task's tables compared part by part, once or over and over, on any host.

Whoever compares a part holds its row, and takes the one that was compared longest ago. So several
hosts share a round, and one that died leaves its part to whoever comes next, who goes on behind the
segments that were compared. Comparing does no harm twice, and a repair carries its condition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import NoReturn

from kcl_processor import costs
from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.fleet.own_rows import Row
from kcl_processor.launch.patience import once_renewed
from kcl_processor.launch.proof import (
    ProofMark,
    adopt_proof,
    begin_round,
    read_proof_parts,
    replica_of,
)
from kcl_processor.launch.proof_part import Open, PartProof, decode, encode, part_key
from kcl_processor.table.held_row import HeldRow, Overtaken, PartTaken, Words, is_at_work
from kcl_processor.table.pace import Halt
from kcl_processor.table.scan import AT_ONCE
from kcl_processor.table.table_reader import Segment
from kcl_processor.table.verify_share import SegmentResult
from kcl_processor.table.verify_task import (
    Book,
    Opened,
    Verified,
    VerifyListener,
    VerifyOptions,
    compare,
    open_tables,
)

# A part is compared by one process at a time, and what it has differing stands in its row: one for
# each GB, but no more than a look at them all reads in a moment.
_BYTES_PER_PART = 1 << 30
_FEWEST, _MOST = 8, 64
# What a kill repeats: 128 MB are 16,384 read units, minutes at a gentle pace. The row of a part
# names each of its segments that is compared.
_BYTES_PER_SEGMENT = 128 << 20
_FEWEST_SEGMENTS, _MOST_SEGMENTS = 4, 128
# Seconds before rows are looked at again that others hold.
_PAUSE = 5.0
# How far another host's clock, by which a round began, may be ahead of this one's.
_CLOCKS = 3600.0
# Read units a second that one scan gets through: a page of 1 MB is 128 of them.
_GENTLE = 500.0
# Segments of a small table are compared faster than rows are to be written.
_SEGMENT_PAUSE = 1.0
# Sums of keys tell nothing of parts that were compared at different times.
_COUNTED = frozenset(one.name for one in fields(SegmentResult)) - {
    *("segment", "done", "decided", "laid_keys", "held_keys")
}


def cut(table_bytes: int) -> tuple[int, int]:
    """Into how many parts, and into how many segments, to cut a table of this size."""
    parts = max(_FEWEST, min(_MOST, -(-table_bytes // _BYTES_PER_PART)))
    each = -(-table_bytes // (_BYTES_PER_SEGMENT * parts))
    return parts, parts * max(_FEWEST_SEGMENTS, min(_MOST_SEGMENTS, each))


class ProofRow(HeldRow[PartProof]):
    """The row of one part of a proof."""

    def __init__(
        self, task: Task, part: Segment, clock: Clock, wait: Callable[[float], None]
    ) -> None:
        name = f"Part {part.number}/{part.total} of the proof of task {task.name}"
        words = Words(
            name,
            "compared",
            f"kcl-processor verify {task.name} --resume",
            f"kcl-processor status {task.name}",
        )
        super().__init__(task, part_key(*part), words, clock, wait)
        self._saved = 0

    def save_segments(self, part: PartProof) -> None:
        """As :meth:`save`; and soon after a segment was compared, which may have taken long.

        Raises:
            As :meth:`write` does.
        """
        if len(part.done) != self._saved and self.seconds_since_written() >= _SEGMENT_PAUSE:
            self.write(part)
        else:
            self.save(part)

    def write(self, progress: PartProof) -> None:
        super().write(progress)
        self._saved = len(progress.done)

    def encode(self, progress: PartProof) -> bytes:
        return encode(progress)

    def decode(self, row: Row | None) -> PartProof | None:
        return decode(row)


class PartBook(Book):
    """What is found in a part, entered segment by segment."""

    def __init__(self, part: PartProof, listener: VerifyListener, task: Task) -> None:
        super().__init__([Segment(at, part.segments) for at in part.left], listener, task)
        self._part = part

    def decided(self, result: SegmentResult, left: Open) -> None:
        if result.segment not in self._part.done:
            counts = {name: getattr(result, name) for name in _COUNTED}
            self._part.enter(result.segment, counts, left)


# A part that may be compared, as its row says.
_Found = tuple[int, PartProof | None, Row | None]


class Prover:
    """Compares the parts of a task's tables.

    Args:
        options: what to do about a difference, and at what pace.
    """

    def __init__(
        self,
        task: Task,
        options: VerifyOptions,
        listener: VerifyListener,
        halt: Halt,
        clock: Clock,
    ) -> None:
        self._task = task
        self._options = options
        self._listener = listener
        self._halt = halt
        self._clock = clock

    def once(self) -> tuple[Verified, float]:
        """Compare each part once, or what is left to compare of a round that was cut off.

        Returns:
            what was found, by parts; and a moment by this host's clock, seconds since the epoch,
            behind which all of the round was: when it began, or well before that, if it was begun
            by another process, whose clock may be ahead.

        Raises:
            OperatorError: a side cannot be read or written, or a row.
            Halted: ``halt`` was set; what was compared stays.
        """
        make_kcl_tables(self._task)
        # When the round began, if this process did so.
        now = self._clock.now()
        mark, found = self._look(now)
        # The mark may be another by then for more than a round that another process began.
        while not _due_in(mark, found):
            now = self._clock.now()
            begin_round(self._task, mark, now)
            mark, found = self._look(now)
        waits = False
        while True:
            mark, found = self._look(self._clock.now())
            due = _due_in(mark, found)
            if not due:
                ahead = 0.0 if mark.round_at == now else _CLOCKS
                return _verified(mark, found), mark.round_at - ahead
            if not self._prove_one(mark, due):
                if not waits:
                    self._listener.warn("What is left is being compared by others: waiting.")
                waits = True
                self._halt.wait(_PAUSE)

    def forever(self) -> NoReturn:
        """Compare the part that was compared longest ago, again and again.

        Raises:
            As :meth:`once` does.
        """
        make_kcl_tables(self._task)
        while True:
            mark, found = self._look(self._clock.now())
            rested = self._clock.now() - costs.PROOF_REST
            due = [one for one in _oldest_first(found) if _compared_at(one) < rested]
            if due and not self._prove_one(mark, due):
                self._halt.wait(_PAUSE)
            elif not due:
                self._halt.wait(max(1.0, min(map(_compared_at, found)) - rested))

    def _look(self, now: float) -> tuple[ProofMark, list[_Found]]:
        def size() -> tuple[int, int]:
            return cut(open_tables(self._task, self._options, self._halt, self._clock).table_bytes)

        mark = adopt_proof(self._task, replica_of(self._task), size, now)
        rows = read_proof_parts(self._task, mark)
        return mark, [(number, part, row) for number, (part, row) in enumerate(rows)]

    def _prove_one(self, mark: ProofMark, due: Iterable[_Found]) -> bool:
        """Compare the first part that nobody is at work on; whether there was one."""
        for number, _, row in due:
            if is_at_work(row, self._clock.now()):
                continue
            try:
                self._prove(mark, number)
            except (PartTaken, Overtaken):
                continue
            return True
        return False

    def _prove(self, mark: ProofMark, number: int) -> None:
        place = Segment(number, mark.parts)
        row = ProofRow(self._task, place, self._clock, self._halt.wait)
        part = row.load()
        if part is None or part.token != mark.token:
            part = PartProof(mark.token, number, mark.parts, mark.segments)
        part.begin(self._clock.now(), mark.round)
        row.take(part)
        try:
            self._compare(mark, part, row)
        finally:
            row.release(part)

    def _compare(self, mark: ProofMark, part: PartProof, row: ProofRow) -> None:
        opened = open_tables(self._task, self._options, self._halt, self._clock)
        since = mark.replica.differs(opened.replica)
        if not since:
            if part.left:
                self._segments(opened, part, row)
            # What was read of another table that came meanwhile is no proof of this one.
            since = mark.replica.differs(replica_of(self._task))
        if since:
            self._listener.warn(f"The proof begins anew: {since}.")
            self._halt.wait(_PAUSE)
            return
        part.finish(self._clock.now())
        row.write(part)
        self._listener.part(part)

    def _segments(self, opened: Opened, part: PartProof, row: ProofRow) -> None:
        def save() -> None:
            once_renewed(
                lambda: row.save_segments(part),
                self._clock,
                self._halt.wait,
                self._listener.warn,
            )

        options, at_once = self._options, AT_ONCE
        if opened.rate is not None and opened.rate <= _GENTLE:
            # One scan keeps up with the pace, and a kill repeats one segment.
            options, at_once = replace(options, processes=1), 1
        again = f"kcl-processor verify {self._task.name} --resume goes on from here"
        book = PartBook(part, self._listener, self._task)
        compare(opened, book, options, again, save, self._halt, self._clock, at_once)


def _compared_at(found: _Found) -> float:
    return found[1].compared_at if found[1] else 0.0


def _oldest_first(found: Iterable[_Found]) -> list[_Found]:
    """Parts by when their last comparison began."""
    return sorted(found, key=_compared_at)


def _due_in(mark: ProofMark, found: Iterable[_Found]) -> list[_Found]:
    """The parts that were not compared in a proof's round, the oldest first."""
    return [one for one in _oldest_first(found) if one[1] is None or one[1].round < mark.round]


def _verified(mark: ProofMark, found: Iterable[_Found]) -> Verified:
    parts = [part for _, part, _ in found if part]
    left = Open()
    for part in parts:
        left.add(part.open)
    results = [SegmentResult(part.part, **part.counts, done=True, decided=True) for part in parts]
    return Verified(results, 0, mark.replica, left)
