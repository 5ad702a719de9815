"""One attempt at a request, bounded from its first byte to its answer by whoever allows it.

Credentials, names, connections and TLS take as long as they take, and what allows a write, such as
a proof that a lease is ours, may run out meanwhile. So botocore's connections ask here, last thing
before they hand bytes to the kernel, how long the attempt may go on, and ask again while they wait
for the answer.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.httpsession import URLLib3Session
from urllib3.util import wait_for_read, wait_for_write

from kcl_processor.clock import Clock

# Seconds between two looks at what allows the attempt, while the other side is waited for.
_LOOK = 1.0
# Bytes between two looks.
_PIECE = 256 * 1024
# What a socket that does not block says when it would; TLS has a word of its own.
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantWriteError)

_local = threading.local()


class TooLate(Exception):
    """The attempt may not go on, and not all of the request went out: it is never applied."""


class Attempt:
    """What is known of one attempt.

    Args:
        remaining: asked for the seconds that it may go on; 0 when it may not.
        last: whether nobody will follow who could meet it; its answer is then waited for.

    Attributes:
        is_under_way: a part of the request was handed to the kernel.
    """

    def __init__(
        self, remaining: Callable[[], float], last: Callable[[], bool], clock: Clock
    ) -> None:
        self._remaining = remaining
        self._last = last
        self._clock = clock
        self.is_under_way = False

    def send(self, sock: Any, data: bytes, timeout: float) -> None:
        """Hand bytes to the kernel.

        A socket that may block asks the kernel first whether it would, and that lets other threads
        and a stop of the process in between the look and the bytes. So it does not block here.

        Raises:
            TooLate: they may not all be sent.
            TimeoutError: the other side takes none of them for so many seconds.
        """
        sock.settimeout(0.0)
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._sent(sock, rest[:_PIECE]) :]
            except _WOULD_BLOCK:
                self._wait(wait_for_write, sock, timeout, self._remaining)

    def _sent(self, sock: Any, piece: memoryview) -> int:
        self.is_under_way = True
        if self._remaining() <= 0:
            raise TooLate
        sent: int = sock.send(piece)
        return sent

    def await_answer(self, sock: Any, timeout: float) -> None:
        """Wait until an answer begins.

        Raises:
            TimeoutError: none came within so many seconds, or what allowed the attempt has run out.
        """
        if not self._wait(wait_for_read, sock, timeout, self._for_answer):
            raise TimeoutError

    def _for_answer(self) -> float:
        return inf if self._last() else self._remaining()

    def _wait(
        self,
        ready: Callable[[Any, float], bool],
        sock: Any,
        timeout: float,
        allowed: Callable[[], float],
    ) -> bool:
        """Wait for the other side; false when what allows the attempt has run out."""
        until = self._clock.elapsed() + timeout
        while (remaining := allowed()) > 0:
            seconds = min(remaining, until - self._clock.elapsed(), _LOOK)
            if seconds <= 0:
                raise TimeoutError
            if ready(sock, seconds):
                return True
        return False


@contextmanager
def attempting(
    remaining: Callable[[], float], last: Callable[[], bool], clock: Clock
) -> Iterator[Attempt]:
    """An attempt of this thread's, for as long as the context is open."""
    _local.attempt = attempt = Attempt(remaining, last, clock)
    try:
        yield attempt
    finally:
        del _local.attempt


class Session(URLLib3Session):  # type: ignore[misc]
    """botocore's HTTP session, for requests that are made within :func:`attempting`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        self._manager.pool_classes_by_scheme = self._pool_classes_by_scheme


class _Asking:
    """Mixed into botocore's connections."""

    sock: Any
    timeout: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        # What a proxy was sent to get here is no part of the request.
        _local.attempt.is_under_way = False

    def send(self, data: bytes) -> None:
        if self.sock is None:
            self.connect()
        _local.attempt.send(self.sock, data, self.timeout)
        self.sock.settimeout(self.timeout)

    def getresponse(self) -> Any:
        _local.attempt.await_answer(self.sock, self.timeout)
        return super().getresponse()  # type: ignore[misc]


class _Connection(_Asking, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _TlsConnection(_Asking, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _TlsConnection
