"""The destination table: one BatchWriteItem put together from raw images, one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import orjson

from kcl_processor.aws.wire import Answer, Endpoint
from kcl_processor.replicate.change import Change

# BatchWriteItem takes 25 puts and deletes a request (Amazon DynamoDB API reference).
MAX_CHANGES_PER_REQUEST = 25
# A request may have 16 MB, and 25 items of 400 KB, as DynamoDB counts them, can be several times
# that as JSON. A quarter of it costs nothing more and is on its way soon; a single item, of 400 KB
# and as JSON at most some 6 MB, goes alone.
MAX_BYTES_PER_REQUEST = 4 * 1024 * 1024


class Destination(Protocol):
    """Where batches of changes go; the recording fakes of the tests are the other one."""

    table: str

    def send(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Answer:
        """Make one attempt to apply up to 25 changes of distinct keys; never raises.

        Args:
            remaining: asked, last thing before the first byte, for the seconds that the attempt may
                go on; at 0 it ends, with ``NOT_SENT`` if that was in time.
        """


class DestinationTable:
    """A DynamoDB table behind its endpoint. Safe to call from many threads at once.

    Args:
        table: the table's name.
        counts: whether to ask for the capacity that a call consumes.
    """

    def __init__(
        self, table: str, endpoint: Endpoint, counts: Callable[[], bool] = lambda: False
    ) -> None:
        self.table = table
        self._endpoint = endpoint
        self._name = orjson.dumps(table)
        self._counts = counts

    def send(self, changes: Sequence[Change], remaining: Callable[[], float]) -> Answer:
        return self._endpoint.call("BatchWriteItem", self._body(changes), remaining)

    def _body(self, changes: Sequence[Change]) -> bytes:
        capacity = b',"ReturnConsumedCapacity":"TOTAL"' if self._counts() else b""
        writes = b",".join(map(_write_request, changes))
        return b'{"RequestItems":{%b:[%b]}%b}' % (self._name, writes, capacity)


def _write_request(change: Change) -> bytes:
    if change.image is None:
        return b'{"DeleteRequest":{"Key":%b}}' % change.key
    return b'{"PutRequest":{"Item":%b}}' % change.image


def unprocessed(answer: Answer) -> list[dict[str, Any]]:
    """The write requests that DynamoDB handed back, as it echoed them."""
    tables = answer.body.get("UnprocessedItems", {}).values()
    return [write for table in tables for write in table]
