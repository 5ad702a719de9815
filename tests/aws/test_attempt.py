"""What allows an attempt is asked last thing before its bytes, and until its answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from kcl_processor.aws.codes import NOT_SENT
from kcl_processor.aws.wire import Answer
from tests.edges import Authority, Reply, Request, proxying, serving, silent
from tests.endpoints import endpoint_at, found

APPLIED = Reply(b'{"UnprocessedItems":{}}')


class Proof:
    """A proof of ownership that a test lets run out."""

    def __init__(self, *seconds: float) -> None:
        self.asked = 0
        self._seconds = list(seconds)

    def remaining(self) -> float:
        self.asked += 1
        return self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]


def write(
    url: str,
    remaining: Callable[[], float],
    body: bytes = b"{}",
    find: Callable[[], Credentials] = found,
) -> Answer:
    return endpoint_at(url, find).call("BatchWriteItem", body, remaining)


def test_the_last_attempt_is_waited_for_whatever_remains() -> None:
    """When nobody writes before this process has ended, its answer tells that it is over."""
    with silent(APPLIED) as (server, silence), ThreadPoolExecutor(1) as daemon:
        under_way = silence.begun

        def remaining() -> float:
            return 0.0 if under_way.is_set() else 5.0

        endpoint = endpoint_at(server.url, last=under_way.is_set)
        sent = daemon.submit(endpoint.call, "BatchWriteItem", b"{}", remaining)
        assert under_way.wait(20)
        # Longer than what allows it is looked at.
        assert not wait([sent], timeout=1.5).done
        silence.over.set()
        assert sent.result(20).error == ""
        assert endpoint.call("BatchWriteItem", b"{}", remaining).error == NOT_SENT


def test_credentials_that_outlast_the_proof_send_nothing() -> None:
    """A proof that was good before the credentials were renewed is looked at behind them."""
    proven = [True]

    def renewed() -> Credentials:
        proven[0] = False
        return found()

    with serving(lambda _request: APPLIED) as server:
        answer = write(server.url, lambda: 5.0 if proven[0] else 0.0, find=renewed)
        assert (answer.error, server.requests) == (NOT_SENT, [])


def test_a_connection_that_outlasts_the_proof_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a connection nor a handshake of TLS stands between the question and the bytes."""
    proven = ["until the handshake"]
    authority = Authority(tmp_path)
    context = authority.server_context()
    context.sni_callback = lambda *_: proven.clear()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    with serving(lambda _request: APPLIED, context, "localhost") as server:
        answer = write(server.url, lambda: 5.0 if proven else 0.0)
        assert (answer.error, server.requests) == (NOT_SENT, [])
    assert not proven


def test_a_body_is_not_finished_behind_the_proof() -> None:
    """A long body is asked for piece by piece; what is not whole is never applied."""
    with serving(lambda _request: APPLIED) as server:
        answer = write(server.url, Proof(5.0, 5.0, 0.0).remaining, b"x" * 1_000_000)
        assert answer.error == NOT_SENT
    assert all(len(request.body) < 1_000_000 for request in server.requests)


@pytest.mark.parametrize("tls", ["", "with TLS"])
def test_a_body_that_fills_the_sockets_arrives_whole(
    tls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than the kernel takes at once, to a server that reads when it pleases."""
    authority, body = Authority(tmp_path), bytes(range(256)) * 40_000
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    with serving(lambda _request: APPLIED, authority.server_context() if tls else None) as server:
        assert write(server.url, lambda: 5.0, body).error == ""
        assert [request.body for request in server.requests] == [body]


def test_a_body_that_nobody_reads_is_given_up() -> None:
    """The other side takes nothing any more: the attempt ends with the proof, in doubt or not."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        looks = iter([5.0] * 3)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        answer = write(url, lambda: next(looks, 0.0), b"x" * 50_000_000)
        assert answer.error == NOT_SENT


def test_an_answer_is_waited_for_while_the_proof_holds() -> None:
    """A proof that ends ends the attempt at the next look, long before its own timeout."""
    with silent(APPLIED) as (server, _):
        proof = Proof(5.0, 5.0, 0.05, 0.0)
        answer = write(server.url, proof.remaining)
        assert (answer.status, answer.error) == (0, "ReadTimeoutError")
        assert proof.asked == 4 and len(server.requests) == 1


def test_a_proof_that_is_renewed_gives_a_slow_destination_its_time() -> None:
    """Each look finds a little time left, and the answer comes after several of them."""
    looks = threading.Semaphore(0)

    def remaining() -> float:
        looks.release()
        return 0.05

    def slow(_request: Request) -> Reply:
        for _ in range(6):
            assert looks.acquire(timeout=5)
        return APPLIED

    with serving(slow) as server:
        assert write(server.url, remaining).error == ""


def test_a_proxy_is_asked_for_its_way_under_the_same_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing goes to a proxy, either, when there is no time left."""
    with serving(lambda _request: APPLIED) as server, proxying() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert write(server.url, lambda: 0.0).error == NOT_SENT
        assert (server.requests, proxy.requests) == ([], [])
        assert write(server.url, lambda: 5.0).error == ""
        assert len(proxy.requests) == 1
