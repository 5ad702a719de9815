"""The copy: the source's segments to the destination, page by page, durably.

Each round holds at most one page of a segment. It is written, then it is told and the progress
saved, then the next round begins: a copy that was killed repeats one page a segment and nothing
else. Writing an item twice does no harm, as long as no daemon writes newer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import PoisonError
from kcl_processor.replicate.change import Change, key_names
from kcl_processor.replicate.consumption import item_units
from kcl_processor.replicate.destination import Destination
from kcl_processor.replicate.refusals import RULE_FAILED, without_values
from kcl_processor.replicate.write import Fence, Tally
from kcl_processor.table.copy_laying import LaidTally, Laying
from kcl_processor.table.pace import Halt, Pace
from kcl_processor.table.patience import CallTally
from kcl_processor.table.scan import AT_ONCE, PageCursor, Rounds
from kcl_processor.table.table_reader import Page, TableReader

# The place in a shard of what comes from no shard.
_NO_RECORD = "0"


class PacedDestination:
    """A destination whose write capacity is consumed at a rate."""

    def __init__(self, destination: Destination, pace: Pace) -> None:
        self.table = destination.table
        self._destination = destination
        self._pace = pace

    def send(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Answer:
        expected = sum(item_units(change.image or b"") for change in changes)
        self._pace.take(expected)
        answer = self._destination.send(changes, remaining)
        self._pace.settle(expected, answer.units(expected))
        return answer


class StopOnRefusedItem:
    """``on_poison: stop`` for a copy, whose items are in no shard."""

    def __init__(self, source: str, destination: str) -> None:
        self._source = source
        self._destination = destination

    def refuse(self, change: Change, answer: Answer) -> None:
        """Raise :class:`PoisonError`, naming none of the item's values."""
        if answer.error == RULE_FAILED:
            raise PoisonError(
                f"The rules fail for an item of table {self._source} "
                f"(key attributes {', '.join(key_names([change]))}): {answer.message}.",
                "mend the rule or the item, or set `on_poison: dead-letter` for this task; copy "
                "again goes on from here, with another rule copy --restart begins anew",
            )
        raise PoisonError(
            f"Table {self._destination} never accepts an item of table {self._source} "
            f"(key attributes {', '.join(key_names([change.source or change]))}): "
            f"{answer.error}: {without_values(answer.message, change)}.",
            "mend the cause on the destination, or set `on_poison: dead-letter` for this task; "
            "copy again goes on from here",
        )


@dataclass(frozen=True, slots=True)
class PageCopied:
    """A page that is durable at the destination.

    Attributes:
        after: its last key, as DynamoDB JSON; ``None`` at the segment's end.
    """

    segment: int
    items: int
    after: dict[str, Any] | None


class Lays(Protocol):
    """What brings items to the destination."""

    @property
    def tally(self) -> Tally:
        """What it has done."""

    def write(self, changes: Sequence[Change], fence: Fence) -> None:
        """As ``Writer.write`` does."""

    def settle(self, fence: Fence) -> None:
        """As ``Writer.settle`` does."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy has done since it told last; the tallies are since its beginning.

    Attributes:
        bytes: of the pages' items.
        laid: what rules have left of them; all without rules.
    """

    pages: list[PageCopied]
    bytes: int
    reads: CallTally
    writes: Tally
    laid: LaidTally


class TableCopy:
    """Copies segments, or what is left of them.

    Args:
        cursors: at the segments; taken as they are needed.
        pool: at least as many threads as ``at_once``.
        halt: ends the run when it is set.
        tell: returns when a report is written down; what it raises ends the run.
        fence: what the writing is allowed by.
        laying: lays what is read, where there are rules.
    """

    def __init__(
        self,
        reader: TableReader,
        writer: Lays,
        cursors: Iterator[PageCursor],
        pool: ThreadPoolExecutor,
        halt: Halt,
        tell: Callable[[CopyReport], None],
        fence: Fence,
        at_once: int = AT_ONCE,
        laying: Laying | None = None,
    ) -> None:
        self._laying = laying
        self._reader = reader
        self._writer = writer
        self._rounds = Rounds(cursors, pool, halt, lambda: halt.wait(0), at_once)
        self._tell = tell
        self._fence = fence

    def run(self) -> None:
        """Copy what is left.

        Raises:
            OperatorError: a side fails.
            Halted: ``halt`` was set; all that was told is durable.
        """
        for fetched in self._rounds:
            self._apply(fetched)
        # A write that was lost on its way must not land behind the daemon's, which come next.
        self._writer.settle(self._fence)
        self._report([], 0)

    def _apply(self, fetched: list[tuple[PageCursor, Page]]) -> None:
        changes = [
            Change(key, image, _NO_RECORD, 0) for _, page in fetched for key, image, _ in page.items
        ]
        self._writer.write(self._laying.laid(changes) if self._laying else changes, self._fence)
        pages = [
            PageCopied(cursor.segment.number, len(page.items), page.last_key)
            for cursor, page in fetched
        ]
        self._report(pages, sum(len(change.image or b"") for change in changes))

    def _report(self, pages: list[PageCopied], size: int) -> None:
        laid = self._laying.tally if self._laying else LaidTally()
        self._tell(CopyReport(pages, size, self._reader.tally, self._writer.tally, laid))
