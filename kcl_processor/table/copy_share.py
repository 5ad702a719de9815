"""What one of a copy's processes does: segments, as long as there are any, to the destination."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.render import CONNECTIONS
from kcl_processor.config.task import STOP
from kcl_processor.errors import SourceError
from kcl_processor.launch import preflight
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.destination import DestinationTable
from kcl_processor.replicate.refusals import DeadLetters, Origin, Refusals
from kcl_processor.replicate.write import Fence, Writer
from kcl_processor.state.dead_letters import open_place
from kcl_processor.table import access
from kcl_processor.table.copy_laying import Laying
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.copy_sides import Tables
from kcl_processor.table.crew import Link, Numbers
from kcl_processor.table.export_reader import ExportCursor, export_access, whole_item
from kcl_processor.table.pace import Halt, Pace
from kcl_processor.table.scan import PageCursor, SegmentCursor, at_once_in
from kcl_processor.table.table_copy import (
    Lays,
    PacedDestination,
    StopOnRefusedItem,
    TableCopy,
)
from kcl_processor.table.table_reader import Segment, TableReader


class CopyShare:
    """The work of a copy, made before the processes are forked that share it.

    Args:
        progress: what is copied, and what is to be.
        processes: how many share the work.
        fence: what each of them may write by.
    """

    # Capacity that one request of a full window takes, requests at once of all processes, and
    # threads of each that read beside the scans.
    _UNITS_PER_REQUEST = 25.0
    _CONNECTIONS = CONNECTIONS
    _LOOKING = 0

    def __init__(
        self,
        files: TaskFiles,
        progress: CopyProgress,
        tables: Tables,
        processes: int,
        fence: Fence,
        halt: Halt,
        clock: Clock,
    ) -> None:
        task, export = files.task, tables.export
        keys = preflight.key_schema(tables.source)
        self._export = (
            export_access(task.source, export, whole_item(keys), halt.wait) if export else None
        )
        self._files = files
        self._tables = tables
        self._fence = fence
        # Rules that only say what the daemon skips leave a copy as it is.
        self._transform = tables.transform if task.rules else None
        self._segments = progress.segments
        own = progress.own_segments
        self._left = [number for number, segment in own.items() if not segment.done]
        self._numbers = Numbers(len(self._left))
        self._at_once = at_once_in(processes, len(self._left))
        self._halt = halt
        self._clock = clock
        items, size = tables.source["ItemCount"], tables.source["TableSizeBytes"]
        limit = tables.read_limit
        # What is made here opens no connection, and looks for no credentials, before its first use.
        threads = self._at_once + self._LOOKING
        reads = access.calls(task.source, SourceError, limit, threads, clock, halt.wait)
        page_items = access.page_items(limit, size / items if items else 0.0)
        self._reader = TableReader(reads, keys, page_items)
        self._writes = self._writes_at_once(tables.write_limit, processes)
        self._wire = clients.endpoint(task.destination, self._writes, clock)
        self._pace = Pace(tables.write_limit, clock, halt.wait)

    def work(self, link: Link) -> None:
        """Copy segments until none is left; each is copied by one process.

        Raises:
            As :meth:`TableCopy.run` does.
        """
        with (
            ThreadPoolExecutor(self._at_once, thread_name_prefix="scan") as scans,
            ThreadPoolExecutor(self._writes, thread_name_prefix="write") as writes,
        ):
            refusals = refusals_of(self._files, self._tables, self._clock, self._halt.wait)
            TableCopy(
                self._reader,
                self._writer(refusals, writes, link),
                self._cursors(),
                scans,
                self._halt,
                link.tell,
                self._fence,
                self._at_once,
                self._laying(refusals),
            ).run()

    def _writer(self, refusals: Refusals, pool: ThreadPoolExecutor, _link: Link) -> Lays:
        table = self._files.task.destination.table
        return Writer(
            PacedDestination(
                DestinationTable(table, self._wire, counts=lambda: True),
                self._pace,
            ),
            refusals,
            self._clock,
            self._halt.wait,
            Window(largest=self._writes, size=min(32, self._writes)),
            pool,
            on_progress=lambda: self._halt.wait(0),
        )

    def _laying(self, refusals: Refusals) -> Laying | None:
        if self._transform is None:
            return None
        return Laying(self._transform, refusals, Breaker(self._files.task.destination.table))

    def _writes_at_once(self, limit: float | None, processes: int) -> int:
        """How many requests one of the processes may have under way."""
        most = self._CONNECTIONS
        together = most if limit is None else min(most, int(limit / self._UNITS_PER_REQUEST))
        return max(1, together // processes)

    def _cursors(self) -> Iterator[PageCursor]:
        for at in self._numbers:
            number = self._left[at]
            place, after = Segment(number, len(self._segments)), self._segments[number].after
            if self._export:
                yield ExportCursor(self._export, place, after)
            else:
                yield SegmentCursor(self._reader, place, after)


def refusals_of(
    files: TaskFiles, tables: Tables, clock: Clock, wait: Callable[[float], None]
) -> Refusals:
    """Where an item of a copy goes that the destination never accepts."""
    task = files.task
    if task.on_poison == STOP:
        return StopOnRefusedItem(task.source.table, task.destination.table)
    origin = Origin(
        task.name, task.source.table, task.destination.table, "copy", tables.identity.source.arn
    )
    place = open_place(
        files.dead_letters, task.destination.region, task.letters_access, files.letter_file
    )
    return DeadLetters(place, origin, clock, lambda: None, wait)
