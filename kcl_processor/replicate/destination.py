"""The destination table: one BatchWriteItem put together from raw images, one reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from botocore.credentials import Credentials

from kcl_processor.aws.wire import Answer, Endpoint
from kcl_processor.replicate.change import Change

# BatchWriteItem takes 25 puts and deletes a request (Amazon DynamoDB API reference).
MAX_CHANGES_PER_REQUEST = 25


@dataclass(frozen=True, slots=True)
class Reply:
    """What one attempt came to.

    Attributes:
        error: the service's error code, ``""`` when the call succeeded. A call that got no answer
            carries the name of what broke it, with status 0.
        unprocessed: the write requests DynamoDB handed back, as it echoed them.
        consumed: write capacity units the call consumed, when the request asked for them.
    """

    status: int
    error: str = ""
    message: str = ""
    unprocessed: list[dict[str, Any]] = field(default_factory=list)
    consumed: float = 0.0


class Destination(Protocol):
    """Where batches of changes go; the recording fakes of the tests are the other one."""

    table: str

    def send(self, changes: Sequence[Change]) -> Reply:
        """Make one attempt to apply up to 25 changes of distinct keys; never raises."""


class DestinationTable:
    """A DynamoDB table behind its endpoint. Safe to call from many threads at once.

    Args:
        table: the table's name.
        region: the signing region.
        endpoint: the endpoint's URL.
        credentials: botocore credentials; refreshable ones refresh themselves on use.
        connections: how many calls may be under way at once.
        count_capacity: ask for the capacity each call consumes.
    """

    def __init__(
        self,
        table: str,
        region: str,
        endpoint: str,
        credentials: Credentials,
        connections: int,
        count_capacity: bool = False,
    ) -> None:
        self.table = table
        self._endpoint = Endpoint(region, endpoint, credentials, connections)
        self._name = orjson.dumps(table)
        self._count_capacity = count_capacity

    def send(self, changes: Sequence[Change]) -> Reply:
        return _reply(self._endpoint.call("BatchWriteItem", self._body(changes)))

    def _body(self, changes: Sequence[Change]) -> bytes:
        capacity = b',"ReturnConsumedCapacity":"TOTAL"' if self._count_capacity else b""
        writes = b",".join(map(_write_request, changes))
        return b'{"RequestItems":{%b:[%b]}%b}' % (self._name, writes, capacity)


def _write_request(change: Change) -> bytes:
    if change.image is None:
        return b'{"DeleteRequest":{"Key":%b}}' % change.key
    return b'{"PutRequest":{"Item":%b}}' % change.image


def _reply(answer: Answer) -> Reply:
    if answer.error:
        return Reply(status=answer.status, error=answer.error, message=answer.message)
    tables = answer.body.get("UnprocessedItems", {}).values()
    capacity = sum(
        part.get("CapacityUnits", 0.0) for part in answer.body.get("ConsumedCapacity", ())
    )
    return Reply(
        status=answer.status,
        unprocessed=[write for table in tables for write in table],
        consumed=capacity,
    )
