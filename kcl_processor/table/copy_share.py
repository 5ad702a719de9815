"""What one of a copy's processes does: segments, as long as there are any, to the destination."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.render import CONNECTIONS
from kcl_processor.config.task import STOP
from kcl_processor.errors import SourceError
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.destination import DestinationTable
from kcl_processor.replicate.refusals import DeadLetters, Origin, Refusals
from kcl_processor.replicate.write import Fence, Writer
from kcl_processor.state.dead_letters import open_place
from kcl_processor.table import access
from kcl_processor.table.copy_laying import Laying
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.crew import Link, Numbers
from kcl_processor.table.export import Export
from kcl_processor.table.export_reader import ExportCursor, export_access, whole_item
from kcl_processor.table.pace import Halt, Pace
from kcl_processor.table.scan import PageCursor, SegmentCursor, at_once_in
from kcl_processor.table.table_copy import PacedDestination, StopOnRefusedItem, TableCopy
from kcl_processor.table.table_reader import Segment, TableReader
from kcl_processor.transform.transform import Transform

# What a request of 25 small items costs.
_UNITS_PER_REQUEST = 25.0


class CopyShare:
    """The work of a copy, made before the processes are forked that share it.

    Args:
        progress: what is copied, and what is to be.
        keys: the names of the key attributes.
        average_bytes: of an item; 0 if it is not known.
        read_limit, write_limit: units a second, for all processes together.
        processes: how many share the work.
        fence: what each of them may write by.
        transform: the task's rules, if it has any.
        export: what is copied in the place of the table itself, if anything is.
    """

    def __init__(
        self,
        files: TaskFiles,
        progress: CopyProgress,
        keys: Iterable[str],
        average_bytes: float,
        read_limit: float | None,
        write_limit: float | None,
        processes: int,
        fence: Fence,
        transform: Transform | None,
        halt: Halt,
        clock: Clock,
        export: Export | None = None,
    ) -> None:
        task = files.task
        keys = tuple(keys)
        self._export = (
            export_access(task.source, export, whole_item(keys), halt.wait) if export else None
        )
        self._files = files
        self._fence = fence
        self._transform = transform
        self._segments = progress.segments
        own = progress.own_segments
        self._left = [number for number, segment in own.items() if not segment.done]
        self._numbers = Numbers(len(self._left))
        self._at_once = at_once_in(processes, len(self._left))
        self._halt = halt
        self._clock = clock
        # What is made here opens no connection, and looks for no credentials, before its first use.
        reads = access.calls(task.source, SourceError, read_limit, self._at_once, clock, halt.wait)
        self._reader = TableReader(reads, keys, access.page_items(read_limit, average_bytes))
        self._writes = _writes_at_once(write_limit, processes)
        self._destination = PacedDestination(
            DestinationTable(
                task.destination.table,
                clients.endpoint(task.destination, self._writes, clock),
                count_capacity=True,
            ),
            Pace(write_limit, clock, halt.wait),
        )

    def work(self, link: Link) -> None:
        """Copy segments until none is left; each is copied by one process.

        Raises:
            As :meth:`TableCopy.run` does.
        """
        with (
            ThreadPoolExecutor(self._at_once, thread_name_prefix="scan") as scans,
            ThreadPoolExecutor(self._writes, thread_name_prefix="write") as writes,
        ):
            refusals = _refusals(self._files, self._clock, self._halt.wait)
            writer = Writer(
                self._destination,
                refusals,
                self._clock,
                self._halt.wait,
                Window(largest=self._writes, size=min(32, self._writes)),
                writes,
                on_progress=lambda: self._halt.wait(0),
            )
            TableCopy(
                self._reader,
                writer,
                self._cursors(),
                scans,
                self._halt,
                link.tell,
                self._fence,
                self._at_once,
                self._laying(refusals),
            ).run()

    def _laying(self, refusals: Refusals) -> Laying | None:
        if self._transform is None:
            return None
        return Laying(self._transform, refusals, Breaker(self._destination.table))

    def _cursors(self) -> Iterator[PageCursor]:
        for at in self._numbers:
            number = self._left[at]
            place, after = Segment(number, len(self._segments)), self._segments[number].after
            if self._export:
                yield ExportCursor(self._export, place, after)
            else:
                yield SegmentCursor(self._reader, place, after)


def _writes_at_once(limit: float | None, processes: int) -> int:
    """How many requests one of the processes may have under way."""
    together = CONNECTIONS if limit is None else min(CONNECTIONS, int(limit / _UNITS_PER_REQUEST))
    return max(1, together // processes)


def _refusals(files: TaskFiles, clock: Clock, wait: Callable[[float], None]) -> Refusals:
    task = files.task
    if task.on_poison == STOP:
        return StopOnRefusedItem(task.source.table, task.destination.table)
    origin = Origin(task.name, task.source.table, task.destination.table, "copy")
    place = open_place(
        files.dead_letters, task.destination.region, task.letters_access, files.letter_file
    )
    return DeadLetters(place, origin, clock, lambda: None, wait)
