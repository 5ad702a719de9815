"""What one of a live copy's processes does: segments, laid beside the daemon."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from kcl_processor.config.task import SKIP
from kcl_processor.errors import DestinationError
from kcl_processor.launch import preflight
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.refusals import Refusals
from kcl_processor.table import access
from kcl_processor.table.copy_share import CopyShare, refusals_of
from kcl_processor.table.crew import Link
from kcl_processor.table.live_ahead import Ahead
from kcl_processor.table.live_laying import FencedCaller, LiveWriter, Origins
from kcl_processor.table.pace import Gate
from kcl_processor.table.patience import PatientCalls
from kcl_processor.table.sides import Pair
from kcl_processor.table.table_reader import TableReader


class LiveShare(CopyShare):
    """As a plain copy's; each item is a request of its own, and is read again behind it."""

    _UNITS_PER_REQUEST = 1.0
    _CONNECTIONS = 256
    _LOOKING = 8

    def look_behind(self, pairs: Sequence[Pair], link: Link) -> None:
        """Bring to rest what earlier runs have named ahead.

        Raises:
            As :meth:`LiveWriter.look_behind` does.
        """
        with ThreadPoolExecutor(self._writes, thread_name_prefix="write") as writes:
            refusals = refusals_of(self._files, self._tables, self._clock, self._halt.wait)
            self._writer(refusals, writes, link).look_behind(pairs)

    def _writer(self, refusals: Refusals, pool: ThreadPoolExecutor, link: Link) -> LiveWriter:
        task, clock, wait = self._files.task, self._clock, self._halt.wait
        side = task.destination
        looks = access.calls(side, DestinationError, None, self._LOOKING, clock, wait)
        calls = PatientCalls(
            side.table,
            FencedCaller(self._wire, self._fence),
            DestinationError,
            self._pace,
            Gate(Window(largest=self._writes, size=min(32, self._writes))),
            clock,
            wait,
        )
        return LiveWriter(
            Origins(self._reader, self._transform),
            TableReader(looks, preflight.key_schema(self._tables.destination), 1),
            calls,
            refusals,
            lambda pairs: link.tell(Ahead(pairs)),
            pool,
            keeps=task.ttl_deletes == SKIP,
        )
