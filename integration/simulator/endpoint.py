"""An HTTP endpoint on the loopback: requests in, faults thrown, answers out. Carried by aiohttp."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from integration.simulator.faults import CallCounts, Faults
from integration.simulator.wire import JSON, PassedOnError, ServiceError

HOST = "127.0.0.1"
Answered = bytes | web.Response
Answer = Callable[[web.BaseRequest, str, bytes], Awaitable[Answered]]
Page = Callable[[web.BaseRequest], Awaitable[web.Response]]
_request_ids = itertools.count(1)


class ConnectionReset(Exception):
    """The fault `reset` or `reset-after` struck: the client gets no answer."""


class Endpoint:
    """One port. `answer` serves an AWS request, `page` every path that begins with `/_`.

    Latency is spent half before and half after the call has its effect, as on a real way there and
    back, and does not hold up other requests.
    """

    def __init__(self, answer: Answer, page: Page, faults: Faults, counts: CallCounts) -> None:
        self._answer = answer
        self._page = page
        self.faults = faults
        self.counts = counts
        self.port = 0
        # A request that a fault holds back must not hold back the end.
        self._runner = web.ServerRunner(
            web.Server(self._serve), access_log=None, shutdown_timeout=1.0
        )
        self._site: web.TCPSite | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on `port`, or on a free one."""
        if not self.port:
            await self._runner.setup()
        self._site = web.TCPSite(self._runner, HOST, port, reuse_address=True)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self._runner.cleanup()

    async def outage(self, seconds: float) -> None:
        """Reset every connection and refuse new ones for `seconds`."""
        assert self._site is not None
        await self._site.stop()
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            _reset(connection.transport)
        await asyncio.sleep(seconds)
        await self.start(self.port)

    async def simulate(self, operation: str, effect: Callable[[], Awaitable[Answered]]) -> Answered:
        """Run `effect` with the faults of `operation` around it.

        Raises ServiceError and ConnectionReset.
        """
        delay = self.faults.delay(operation) / 2
        if delay:
            await asyncio.sleep(delay)
        if self.faults.happens("reset", operation):
            raise ConnectionReset
        await self._silence("silence", operation)
        if self.faults.happens("hollow", operation):
            return b"{}"
        self.faults.raise_error(operation)
        answer = await effect()
        await self._silence("silence-after", operation)
        if self.faults.happens("reset-after", operation):
            raise ConnectionReset
        if delay:
            await asyncio.sleep(delay)
        return answer

    async def _silence(self, kind: str, operation: str) -> None:
        seconds = self.faults.silence(kind, operation)
        if seconds:
            await asyncio.sleep(seconds)
            raise ConnectionReset

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        if request.path.startswith("/_"):
            return await self._page(request)
        operation = request.headers.get("X-Amz-Target", ".").rpartition(".")[2]
        try:
            body = await request.read()
        except ConnectionError:
            # The client is gone, or an outage began: there is nobody to answer.
            return web.Response()
        self.counts.count(operation)
        try:
            answer = await self._answer(request, operation, body)
        except ServiceError as error:
            self.counts.count_error(str(error).partition(":")[0])
            return _response(error.body, error.status)
        except PassedOnError as error:
            return _response(error.body, error.status)
        except ConnectionReset:
            self.counts.count_error("reset")
            _reset(request.transport)
            return web.Response()
        return answer if isinstance(answer, web.Response) else _response(answer, 200)


def _response(body: bytes, status: int) -> web.Response:
    headers = {
        "Content-Type": JSON,
        "x-amzn-RequestId": f"{next(_request_ids):052X}",
        "x-amz-crc32": str(zlib.crc32(body)),
    }
    return web.Response(body=body, status=status, headers=headers)


def _reset(transport: asyncio.BaseTransport | None) -> None:
    if not isinstance(transport, asyncio.Transport):
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
