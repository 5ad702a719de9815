"""The wire to the destination table: one signed BatchWriteItem, one answer.

Images arrive as DynamoDB JSON and leave as DynamoDB JSON, so a boto3 client would parse, validate
and serialise every attribute for nothing: 325 ms of CPU for 1,000 items of 1 KB, where a body put
together from the raw images takes a small part of that. What guards the call stays botocore's:
its credentials and their refresh, its signer, its HTTP session with proxies and CA bundles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.httpsession import URLLib3Session

from kcl_processor.change import Change

# BatchWriteItem takes 25 puts and deletes a request (Amazon DynamoDB API reference).
MAX_CHANGES_PER_REQUEST = 25

# One attempt is bounded by these two, in seconds, so that a hung connection cannot hold a batch.
CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0


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
        self._url = endpoint.rstrip("/") + "/"
        self._credentials = credentials
        self._region = region
        self._name = orjson.dumps(table)
        self._count_capacity = count_capacity
        self._session = URLLib3Session(
            max_pool_connections=connections, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)
        )

    def send(self, changes: Sequence[Change]) -> Reply:
        try:
            response = self._session.send(self._signed(self._body(changes)))
            return _reply(response.status_code, response.content)
        except (HTTPClientError, BotoCoreError) as error:
            return Reply(status=0, error=type(error).__name__, message=str(error))

    def _body(self, changes: Sequence[Change]) -> bytes:
        capacity = b',"ReturnConsumedCapacity":"TOTAL"' if self._count_capacity else b""
        writes = b",".join(map(_write_request, changes))
        return b'{"RequestItems":{%b:[%b]}%b}' % (self._name, writes, capacity)

    def _signed(self, body: bytes) -> Any:
        request = AWSRequest(
            method="POST",
            url=self._url,
            data=body,
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
            },
        )
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, "dynamodb", self._region).add_auth(request)
        return request.prepare()


def _write_request(change: Change) -> bytes:
    if change.image is None:
        return b'{"DeleteRequest":{"Key":%b}}' % change.key
    return b'{"PutRequest":{"Item":%b}}' % change.image


def _reply(status: int, content: bytes) -> Reply:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return Reply(status=status, error="UnreadableAnswer", message=f"HTTP status {status}")
    if status != 200:
        code = str(body.get("__type") or f"HTTP {status}").rpartition("#")[2]
        return Reply(status=status, error=code, message=str(_message(body)))
    unprocessed = [write for table in body.get("UnprocessedItems", {}).values() for write in table]
    capacity = sum(part.get("CapacityUnits", 0.0) for part in body.get("ConsumedCapacity") or ())
    return Reply(status=status, unprocessed=unprocessed, consumed=capacity)


def _message(body: dict[str, Any]) -> object:
    return body.get("message") or body.get("Message") or ""
