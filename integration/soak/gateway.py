"""A way to the database for each worker, so that one of them alone can be cut off from it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from aiohttp import web

from integration.simulator.endpoint import HOST, Answered, Endpoint
from integration.simulator.faults import CallCounts, Faults
from integration.simulator.proxy import Proxy

# Seconds that opening and closing the ports may take.
_PORTS = 10.0

T = TypeVar("T")


class Gateway:
    """A port that passes every call on, with the simulator's faults around it."""

    def __init__(self, proxy: Proxy, seed: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._proxy = proxy
        self._endpoint = Endpoint(self._pass_on, _no_page, Faults(seed), CallCounts())

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._endpoint.port}"

    def faults(self, rules: Sequence[dict[str, Any]]) -> None:
        """Replace the faults; an empty list ends them."""
        self._endpoint.faults.replace(rules)

    def away(self, seconds: float) -> None:
        """Break every connection, and refuse new ones for so long; does not wait for it."""
        asyncio.run_coroutine_threadsafe(self._endpoint.outage(seconds), self._loop)

    async def listen(self) -> None:
        """Open a free port."""
        await self._endpoint.start()

    async def close(self) -> None:
        """Close the port and every connection."""
        await self._endpoint.stop()

    async def _pass_on(self, request: web.BaseRequest, operation: str, body: bytes) -> Answered:
        async def effect() -> Answered:
            return await self._proxy.forward(request, body)

        return await self._endpoint.simulate(operation, effect)


async def _no_page(_: web.BaseRequest) -> web.Response:
    return web.Response(status=404)


@contextmanager
def gateways(target: str, workers: Sequence[str], seed: int) -> Iterator[dict[str, Gateway]]:
    """Gateways to the URL ``target`` by worker; they run in a thread of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gateways", daemon=True)
    thread.start()

    def done(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(_PORTS)

    proxy = Proxy(target)
    opened = done(_open(proxy, workers, seed))
    try:
        yield opened
    finally:
        done(_close(proxy, opened))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PORTS)


async def _open(proxy: Proxy, workers: Sequence[str], seed: int) -> dict[str, Gateway]:
    await proxy.start()
    opened = {name: Gateway(proxy, seed + at) for at, name in enumerate(workers)}
    for gateway in opened.values():
        await gateway.listen()
    return opened


async def _close(proxy: Proxy, opened: dict[str, Gateway]) -> None:
    for gateway in opened.values():
        await gateway.close()
    await proxy.stop()
