"""One attempt at a request, bounded from its first byte to its answer by whoever allows it.

Credentials, names, connections and TLS take as long as they take, and what allows a write, such as
a proof that a lease is ours, may run out meanwhile. So botocore's connections ask here, last thing
before they hand bytes to the kernel, how long the attempt may go on, and ask again while they wait
for the answer.
"""

from __future__ import annotations

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
from urllib3.util import wait_for_read

from kcl_processor.clock import SystemClock

# Seconds between two looks at what allows the attempt, while its answer is waited for.
_LOOK = 1.0
# Bytes of a body between two looks.
_PIECE = 256 * 1024

_clock = SystemClock()
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

    def __init__(self, remaining: Callable[[], float], last: Callable[[], bool]) -> None:
        self._remaining = remaining
        self._last = last
        self.is_under_way = False

    def before_bytes(self, connection: Any) -> None:
        """Bytes are about to be handed to the kernel.

        Raises:
            TooLate: they must not be.
        """
        seconds = self._remaining()
        if seconds <= 0:
            raise TooLate
        connection.sock.settimeout(min(seconds, connection.timeout))
        self.is_under_way = True

    def await_answer(self, connection: Any) -> None:
        """Wait until an answer begins.

        Raises:
            TimeoutError: none came within the connection's timeout, or what allowed the attempt
                has run out.
        """
        until = _clock.elapsed() + connection.timeout
        while True:
            allowed = inf if self._last() else self._remaining()
            seconds = min(allowed, until - _clock.elapsed(), _LOOK)
            if seconds <= 0:
                raise TimeoutError
            if wait_for_read(connection.sock, seconds):
                return


@contextmanager
def attempting(remaining: Callable[[], float], last: Callable[[], bool]) -> Iterator[Attempt]:
    """An attempt of this thread's, for as long as the context is open."""
    _local.attempt = attempt = Attempt(remaining, last)
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
        for start in range(0, len(data), _PIECE):
            _local.attempt.before_bytes(self)
            super().send(memoryview(data)[start : start + _PIECE])  # type: ignore[misc]

    def getresponse(self) -> Any:
        _local.attempt.await_answer(self)
        return super().getresponse()  # type: ignore[misc]


class _Connection(_Asking, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _TlsConnection(_Asking, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _TlsConnection
