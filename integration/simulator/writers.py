"""Who wrote: the identity of the process at the other end of a connection."""

from __future__ import annotations

import weakref

import psutil
from aiohttp import web

HEADER = "x-kcl-processor-worker"


class Writers:
    """Names the sender of a request: its header, else its process on this host, else its agent.

    A process is looked up once a connection. `processes=False` saves that (some ms each).
    """

    def __init__(self, *, processes: bool = True) -> None:
        self._processes = processes
        self._known: weakref.WeakKeyDictionary[object, str] = weakref.WeakKeyDictionary()

    def name(self, request: web.BaseRequest) -> str:
        """Return the writer's name."""
        if HEADER in request.headers:
            return request.headers[HEADER]
        agent = request.headers.get("User-Agent", "?")
        transport = request.transport
        if not self._processes or transport is None:
            return agent
        if transport not in self._known:
            self._known[transport] = _process_at(transport.get_extra_info("peername")[1]) or agent
        return self._known[transport]


def _process_at(port: int) -> str | None:
    for connection in psutil.net_connections("tcp4"):
        if connection.laddr and connection.laddr.port == port and connection.pid:
            return f"pid {connection.pid}"
    return None
