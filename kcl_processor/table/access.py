"""From a side of a task to the wire: its endpoint, calls on it, a destination."""

from __future__ import annotations

from collections.abc import Callable

from kcl_processor.aws import clients
from kcl_processor.aws.credentials import session
from kcl_processor.aws.wire import Endpoint
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Side
from kcl_processor.errors import OperatorError
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.destination import DestinationTable
from kcl_processor.table.pace import Gate, Pace
from kcl_processor.table.patience import PatientCalls

# An eighth of the page that DynamoDB would give: a page as Python objects is ten times its size,
# and several are in memory at once.
_PAGE_BYTES = 128 << 10
_UNKNOWN_AVERAGE = 1024.0
# What one unit reads, eventually consistent.
_BYTES_PER_UNIT = 8192


def endpoint(side: Side, connections: int) -> Endpoint:
    """The endpoint of a side, with its credentials."""
    url = str(clients.tables(side).meta.endpoint_url)
    credentials = session(side.region, side.role_arn, side.external_id).get_credentials()
    return Endpoint(side.region, url, credentials, connections)


def destination_table(side: Side, connections: int) -> DestinationTable:
    """A side to write to; it tells what each call consumes."""
    url = str(clients.tables(side).meta.endpoint_url)
    credentials = session(side.region, side.role_arn, side.external_id).get_credentials()
    return DestinationTable(
        side.table, side.region, url, credentials, connections, count_capacity=True
    )


def calls(
    side: Side,
    error: type[OperatorError],
    rate: float | None,
    threads: int,
    wait: Callable[[float], None],
) -> PatientCalls:
    """Calls on a side's table.

    Args:
        rate: capacity units a second to stay under; ``None`` for no limit.
        threads: how many calls may be under way.
        wait: waits for some seconds; what it raises ends a call.
    """
    clock = SystemClock()
    window = Window(largest=threads, size=threads)
    wire = endpoint(side, threads)
    return PatientCalls(side.table, wire, error, Pace(rate, clock, wait), Gate(window), clock, wait)


def page_items(rate: float | None, average_bytes: float) -> int:
    """How many items a page may hold, at most a second's worth of ``rate``.

    Args:
        average_bytes: of an item; 0 if it is not known.
    """
    page_bytes = _PAGE_BYTES if rate is None else min(_PAGE_BYTES, rate * _BYTES_PER_UNIT)
    return max(1, int(page_bytes / (average_bytes or _UNKNOWN_AVERAGE)))
