"""Calls on a side of a task: how many at once, how large, how fast."""

from __future__ import annotations

from collections.abc import Callable

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.task import Side
from kcl_processor.errors import OperatorError
from kcl_processor.replicate.backoff import Window
from kcl_processor.table.pace import Gate, Pace
from kcl_processor.table.patience import PatientCalls
from kcl_processor.table.table_reader import BYTES_PER_UNIT

# An eighth of the page that DynamoDB would give: a page as Python objects is ten times its size,
# and several are in memory at once.
_PAGE_BYTES = 128 << 10
_UNKNOWN_AVERAGE = 1024.0


def calls(
    side: Side,
    error: type[OperatorError],
    rate: float | None,
    threads: int,
    clock: Clock,
    wait: Callable[[float], None],
) -> PatientCalls:
    """Calls on a side's table.

    Args:
        rate: capacity units a second to stay under; ``None`` for no limit.
        threads: how many calls may be under way.
        wait: waits for some seconds; what it raises ends a call.
    """
    window = Window(largest=threads, size=threads)
    wire = clients.endpoint(side, threads, clock)
    return PatientCalls(side.table, wire, error, Pace(rate, clock, wait), Gate(window), clock, wait)


def page_items(rate: float | None, average_bytes: float) -> int:
    """How many items a page may hold, at most a second's worth of ``rate``.

    Args:
        average_bytes: of an item; 0 if it is not known.
    """
    page_bytes = _PAGE_BYTES if rate is None else min(_PAGE_BYTES, rate * BYTES_PER_UNIT)
    return max(1, int(page_bytes / (average_bytes or _UNKNOWN_AVERAGE)))
