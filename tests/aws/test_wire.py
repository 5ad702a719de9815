"""One signed call, one answer."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NoReturn

import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import ClientError

from kcl_processor.aws.codes import DENIED, NO_CREDENTIALS, NOT_SENT, RENEW
from kcl_processor.aws.wire import Answer, Endpoint
from kcl_processor.clock import SystemClock
from tests.endpoints import endpoint_at

FOREIGN = "UnreadableAnswer"
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class Service:
    """A service that keeps what it is asked and answers as it is told."""

    def __init__(self) -> None:
        self.status, self.content = 200, b"{}"
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[Message, bytes]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.asked.append((self.headers, body))
                self.send_response(service.status)
                self.send_header("Content-Length", str(len(service.content)))
                for name, value in service.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(service.content)

            def log_message(self, *_words: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service on a free port."""
    made = Service()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def endpoint(port: int) -> Endpoint:
    """The wire to a port of this host."""
    credentials = Credentials("key", "secret", "token")
    return Endpoint("eu-west-1", f"http://127.0.0.1:{port}", credentials, 1, SystemClock())


def test_a_call_is_signed_and_its_body_is_sent_as_it_is(service: Service) -> None:
    """Operation, region and session token are there; the answer is the service's JSON."""
    service.content = b'{"Item":{"n":{"N":"1.00"}}}'
    answer = endpoint(service.server.server_port).call("GetItem", b'{"Key" : 1}')
    assert (answer.status, answer.error) == (200, "")
    assert answer.body == {"Item": {"n": {"N": "1.00"}}}
    ((headers, body),) = service.asked
    assert body == b'{"Key" : 1}'
    assert headers["X-Amz-Target"] == "DynamoDB_20120810.GetItem"
    assert "/eu-west-1/dynamodb/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "token"


@pytest.mark.parametrize(
    ("status", "content", "error", "message"),
    [
        (
            400,
            b'{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"no"}',
            "ValidationException",
            "no",
        ),
        (400, b'{"__type":"com.amazon.coral.service#Throttled","Message":"m"}', "Throttled", "m"),
        (503, b"{}", "UnreadableAnswer", "HTTP status 503"),
        (403, b'{"message":"Forbidden"}', "UnreadableAnswer", "HTTP status 403"),
        (407, b'{"error":{"code":407}}', "UnreadableAnswer", "HTTP status 407"),
        (502, b"<html>Bad Gateway</html>", "UnreadableAnswer", "HTTP status 502"),
        (200, b"[]", "UnreadableAnswer", "HTTP status 200"),
        (200, b'{"Item":', "UnreadableAnswer", "HTTP status 200"),
    ],
)
def test_a_failure_has_the_services_code(
    service: Service, status: int, content: bytes, error: str, message: str
) -> None:
    """And where there is none, a code that says so; never a body that could be taken for one."""
    service.status, service.content = status, content
    answer = endpoint(service.server.server_port).call("GetItem", b"{}")
    assert (answer.status, answer.error, answer.message) == (status, error, message)
    assert answer.body == {}


@pytest.mark.parametrize(
    ("operation", "content", "error"),
    [
        ("BatchWriteItem", b'{"UnprocessedItems":{}}', ""),
        ("BatchWriteItem", b'{"UnprocessedItems":{"replica":[]},"ConsumedCapacity":[]}', ""),
        ("BatchWriteItem", b"{}", FOREIGN),
        ("BatchWriteItem", b'{"login":"https://portal.example/"}', FOREIGN),
        ("BatchWriteItem", b'{"UnprocessedItems":null}', FOREIGN),
        ("BatchWriteItem", b'{"UnprocessedItems":[]}', FOREIGN),
        ("BatchGetItem", b'{"Responses":{},"UnprocessedKeys":{}}', ""),
        ("BatchGetItem", b"{}", FOREIGN),
        ("Scan", b'{"Items":[],"Count":0}', ""),
        ("Scan", b'{"Count":0}', FOREIGN),
        ("PutItem", b"{}", ""),
    ],
)
def test_only_what_the_service_says_is_an_answer(
    service: Service, operation: str, content: bytes, error: str
) -> None:
    """Status 200 from somebody who is not DynamoDB is no success: no field that it always sends."""
    service.content = content
    answer = endpoint(service.server.server_port).call(operation, b"{}")
    assert answer.error == error


def test_an_answer_that_was_changed_on_its_way_is_none(service: Service) -> None:
    """DynamoDB sends a checksum of its answer; stores that send none are believed."""
    service.content = b'{"UnprocessedItems":{}}'
    checksum = zlib.crc32(service.content)
    for header, error in ((str(checksum), ""), (str(checksum + 1), FOREIGN)):
        service.headers = {"x-amz-crc32": header}
        answer = endpoint(service.server.server_port).call("BatchWriteItem", b"{}")
        assert answer.error == error


@pytest.mark.parametrize(
    ("status", "content", "in_doubt"),
    [
        (200, b'{"UnprocessedItems":{}}', False),
        (200, b"{}", True),
        (400, b'{"__type":"x#ValidationException"}', False),
        (500, b'{"__type":"x#InternalServerError"}', False),
        (502, b"<html>Bad Gateway</html>", True),
        (504, b'{"message":"Endpoint request timed out"}', True),
        (408, b'{"message":"Request timed out"}', True),
    ],
)
def test_only_the_service_says_what_became_of_a_request(
    service: Service,
    status: int,
    content: bytes,
    in_doubt: object,
) -> None:
    """Its errors are its last word; behind a proxy's, the request may still be on its way."""
    service.status, service.content = status, content
    answer = endpoint(service.server.server_port).call("BatchWriteItem", b"{}")
    assert answer.in_doubt is in_doubt


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A port whose connections nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


def _read_to_its_end(connection: socket.socket) -> None:
    while connection.recv(1000):
        pass


def test_a_request_without_an_answer_is_in_doubt_and_its_connection_is_reset() -> None:
    """Closed means closed: the kernel does not go on sending what was queued."""
    looks = iter([5.0, 5.0, 0.05])
    with listening() as server:
        port = server.getsockname()[1]
        answer = endpoint(port).call("BatchWriteItem", b"{}", lambda: next(looks, 0.0))
        assert (answer.error, answer.in_doubt) == ("ReadTimeoutError", True)
        connection, _ = server.accept()
        with connection, pytest.raises(ConnectionResetError):
            _read_to_its_end(connection)


def test_a_request_that_was_not_sent_is_not_in_doubt() -> None:
    """Nobody listens, or there was no time left: nothing can land later."""
    assert not endpoint(port=9).call("BatchWriteItem", b"{}").in_doubt
    with listening() as server:
        late = endpoint(server.getsockname()[1]).call("BatchWriteItem", b"{}", lambda: 0.0)
        assert (late.error, late.in_doubt) == (NOT_SENT, False)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
def test_the_kernel_gives_up_before_another_worker_may_write() -> None:
    """For a process that is stopped and closes nothing: milliseconds, as was asked for."""
    made = endpoint_at("http://127.0.0.1:9", unacknowledged=1.5)
    options = made._session._socket_options
    assert (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1500) in options


def test_nobody_there_is_an_answer_of_status_0() -> None:
    """A call never raises."""
    answer = endpoint(port=9).call("GetItem", b"{}")
    assert (answer.status, answer.error) == (0, "EndpointConnectionError")


def call_with(renewal: Any) -> Answer:
    """A call whose credentials have expired; ``renewal`` is asked for new ones."""
    expired = RefreshableCredentials("key", "secret", "token", LONG_AGO, renewal, "assume-role")
    return endpoint_at("http://127.0.0.1:1", lambda: expired).call("GetItem", b"{}")


@pytest.mark.parametrize(
    ("code", "table"),
    [("ExpiredToken", RENEW), ("SignatureDoesNotMatch", RENEW), ("AccessDenied", DENIED)],
)
def test_a_role_that_sts_refuses_is_an_answer(code: str, table: frozenset[str]) -> None:
    """The code is STS's own, so it is waited for or stopped at like a refusal of the table's."""

    def refused() -> NoReturn:
        error = {"Error": {"Code": code, "Message": "said STS"}}
        raise ClientError({**error, "ResponseMetadata": {"HTTPStatusCode": 403}}, "AssumeRole")

    answer = call_with(refused)
    assert (answer.status, answer.error) == (403, code)
    assert "AssumeRole" in answer.message and "said STS" in answer.message
    assert answer.error in table


def test_credentials_that_come_expired_are_none() -> None:
    """Whoever renews them is late: that passes, or does not, like having none."""
    stale = {
        "access_key": "key",
        "secret_key": "secret",
        "token": "token",
        "expiry_time": LONG_AGO.isoformat(),
    }
    assert call_with(lambda: stale).error == NO_CREDENTIALS
