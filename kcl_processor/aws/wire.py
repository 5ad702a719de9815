"""The wire to DynamoDB: one signed call, one answer, both in DynamoDB JSON.

Images arrive as DynamoDB JSON and leave as DynamoDB JSON, so a boto3 client would parse, validate
and serialise every attribute for nothing: 325 ms of CPU for 1,000 items of 1 KB, where a body put
together from the raw images takes a small part of that. What guards the call stays botocore's:
its credentials, its signer, its HTTP session; ``keys``, ``signature`` and ``network`` say how far.
"""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, HTTPClientError

from kcl_processor.aws import credentials
from kcl_processor.aws.attempt import Attempt, Session, TooLate, attempting
from kcl_processor.aws.codes import NOT_SENT
from kcl_processor.aws.credential_errors import NoKeys
from kcl_processor.aws.keys import Keys
from kcl_processor.aws.network import way_to
from kcl_processor.aws.signature import Signature
from kcl_processor.clock import Clock
from kcl_processor.config.access import Access

# One attempt is bounded by these two, in seconds, so that a hung connection cannot hold a batch;
# and besides by what its caller says.
CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
# Seconds for which the kernel sends again what is not acknowledged, before it drops it.
UNACKNOWLEDGED = 3.0
# What DynamoDB, DynamoDB Streams and SQS put in every answer to these (their API references,
# "Response Elements"). A portal or a proxy that answers with status 200 does not. The answer to
# PutItem and DeleteItem may be empty, so whoever makes those calls reads again what became of them.
_ALWAYS_THERE: dict[str, tuple[str, type]] = {
    "BatchWriteItem": ("UnprocessedItems", dict),
    "BatchGetItem": ("Responses", dict),
    "Scan": ("Items", list),
    "DescribeTable": ("Table", dict),
    "DescribeStream": ("StreamDescription", dict),
    "GetShardIterator": ("ShardIterator", str),
    "GetRecords": ("Records", list),
    "GetQueueUrl": ("QueueUrl", str),
    "GetQueueAttributes": ("Attributes", dict),
    "SendMessage": ("MessageId", str),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call came to.

    Attributes:
        body: the answer as the service gave it; empty when the call failed.
        error: the service's error code, ``""`` when the call succeeded. A call that got no answer
            carries the name of what broke it, with status 0.
        in_doubt: whether the call may still have its effect, now or later: it went out, and the
            service did not say what became of it.
    """

    status: int
    error: str = ""
    message: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    in_doubt: bool = False

    @property
    def consumed(self) -> float:
        """Capacity units, where the call asked for them: one figure, or one a table for a batch."""
        found = self.body.get("ConsumedCapacity") or ()
        parts = [found] if isinstance(found, dict) else found
        return float(sum(part.get("CapacityUnits", 0.0) for part in parts))

    def units(self, expected: float) -> float:
        """Capacity units as they are told; of a service that counts none, what was expected."""
        told = self.error or "ConsumedCapacity" in self.body
        return self.consumed if told else expected


class Endpoint:
    """DynamoDB behind one URL. Safe to call from many threads at once.

    Args:
        region: the signing region.
        url: the endpoint's URL.
        keys: to sign with.
        connections: how many calls may be under way at once.
        unacknowledged: seconds for which the kernel sends again what is not acknowledged.
        last: whether no more calls are to come, and nobody's until this process has ended: what is
            under way is then waited for, whatever remains for it.

    Raises:
        ConfigError: the bundle of certificates cannot be used.
    """

    def __init__(
        self,
        region: str,
        url: str,
        keys: Keys,
        connections: int,
        clock: Clock,
        unacknowledged: float = UNACKNOWLEDGED,
        last: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._last = last
        self._url = url.rstrip("/") + "/"
        self._signature = Signature("dynamodb", region, keys, clock)
        way = way_to(self._url)
        self._session = Session(
            proxies=way.proxies,
            verify=way.verify,
            max_pool_connections=connections,
            timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            socket_options=_socket_options(unacknowledged),
        )

    def call(
        self, operation: str, body: bytes, remaining: Callable[[], float] = lambda: READ_TIMEOUT
    ) -> Answer:
        """Make one attempt at an operation of the DynamoDB API; never raises.

        Args:
            remaining: asked, last thing before the first byte and again until the answer, for the
                seconds that the attempt may go on. At 0 nothing more is sent, and the connection is
                closed.
        """
        with attempting(remaining, self._last, self._clock) as attempt:
            try:
                response = self._session.send(self._signed(operation, body))
            except NoKeys as error:
                return Answer(error.status, error.code, error.message)
            except (HTTPClientError, BotoCoreError) as error:
                return _unanswered(error, attempt)
        answer = _answer(operation, response)
        if answer.error:
            self._signature.answered(answer.error, response.headers)
        return answer

    def _signed(self, operation: str, body: bytes) -> Any:
        request = AWSRequest(
            method="POST",
            url=self._url,
            data=body,
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            },
        )
        return self._signature.sign(request)


def endpoint(
    region: str,
    url: str,
    access: Access,
    connections: int,
    clock: Clock,
    unacknowledged: float = UNACKNOWLEDGED,
    last: Callable[[], bool] = lambda: False,
) -> Endpoint:
    """An endpoint whose requests bear the signature of a side's own credentials.

    Args:
        access: whose credentials; the others are :class:`Endpoint`'s.

    Raises:
        ConfigError: the bundle of certificates cannot be used.
    """
    keys = credentials.keys(region, clock, access)
    return Endpoint(region, url, keys, connections, clock, unacknowledged, last)


def _socket_options(unacknowledged: float) -> list[tuple[int, int, int | bytes]]:
    options: list[tuple[int, int, int | bytes]] = [
        # http.client sends a request's head and body apart. Without TCP_NODELAY, which botocore
        # leaves off, the body's last packet waits until the other side has acknowledged the head:
        # a round trip, or 40 ms.
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        # Closed means closed: the kernel would go on sending what a closed socket has queued, for
        # a minute and more where packets vanish. A process that is killed closes its sockets, too.
        (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    ]
    # Only Linux has it. It is for a process that is stopped, and closes nothing.
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        milliseconds = int(unacknowledged * 1000)
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds))
    return options


def _unanswered(error: Exception, attempt: Attempt) -> Answer:
    if isinstance(error.__context__, TooLate):
        return Answer(0, NOT_SENT, "there was no time left to send it")
    return Answer(0, type(error).__name__, str(error), in_doubt=attempt.is_under_way)


def _answer(operation: str, response: Any) -> Answer:
    status = response.status_code
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict) or not _is_whole(response):
        return _unreadable(status)
    if status != 200:
        # An error of the service has a type, and is its last word; a proxy's, or a portal's, says
        # nothing of the service.
        code = str(body.get("__type") or "").rpartition("#")[2]
        return Answer(status, code, str(_message(body))) if code else _unreadable(status)
    if name := missing(operation, body):
        return _unreadable(status, f", without {name}")
    return Answer(status, body=body)


def missing(operation: str, body: dict[str, Any]) -> str | None:
    """What an answer lacks that the service's own always has, if anything."""
    name, kind = _ALWAYS_THERE.get(operation, ("", object))
    return None if isinstance(body.get(name), kind) else name


def _unreadable(status: int, why: str = "") -> Answer:
    return Answer(status, "UnreadableAnswer", f"HTTP status {status}{why}", in_doubt=True)


def _is_whole(response: Any) -> bool:
    """Whether the answer is the one that was sent; stores that send no checksum are believed."""
    checksum = response.headers.get("x-amz-crc32")
    return checksum is None or checksum == str(zlib.crc32(response.content))


def _message(body: dict[str, Any]) -> object:
    return body.get("message") or body.get("Message") or ""
