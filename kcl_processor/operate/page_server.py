"""The exporter's server: the page, its JSON, and the metrics, to whoever asks from this host.

It only tells, so it takes GET and HEAD alone. A browser asks for any site that somebody has open in
it, and a site may let its name mean this host (DNS rebinding): so it is answered only under names
of this host, and addresses, which no site can have as its name.
"""

from __future__ import annotations

import ipaddress
import platform
import re
import socket
import sys
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson

from kcl_processor.operate.page import read_page
from kcl_processor.operate.page_documents import Documents

METRICS = "/metrics"
TASKS = "/api/v1/tasks"
# Seconds that whoever asks has to do so, and to take the answer.
_PATIENCE = 30
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"
# A name or an address, and a port (RFC 9110, section 7.2).
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:,\s]+)(?::\d*)?", re.IGNORECASE)
_ALWAYS = (
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)


class Hosts:
    """The names under which it is answered.

    Args:
        listen: the address that is listened at, or a name of it.
        given: names beside this host's own.
    """

    def __init__(self, listen: str, given: Iterable[str] = ()) -> None:
        node = platform.node()
        names = ("localhost", listen, node, node.partition(".")[0], *given)
        self._names = set(map(_plain, names)) - {""}
        self.are_of_loopback = _is_loopback(listen)

    def knows(self, host: str | None) -> bool:
        """Whether a Host header names this host. Browsers send one, and some probes do not."""
        if host is None:
            return True
        named = _HOST.fullmatch(host.strip())
        name = named[1].strip("[]") if named else ""
        return _plain(name) in self._names or _address(name) is not None


class Site:
    """The application: what is answered to what is asked (WSGI, PEP 3333)."""

    def __init__(self, documents: Documents, metrics: WSGIApplication, hosts: Hosts) -> None:
        self._documents = documents
        self._metrics = metrics
        self._hosts = hosts
        self._page = read_page()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answered(environ, start_response)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else answer

    def _answered(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = _path(environ)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            kind, text = _TEXT, b"Only GET and HEAD are answered.\n"
            return _answer(start_response, "405 Method Not Allowed", kind, text, Allow="GET, HEAD")
        if not self._is_asked_by_name(path, environ.get("HTTP_HOST")):
            text = b"This name is not known to be this host's. Try: exporter --host NAME\n"
            return _answer(start_response, "421 Misdirected Request", _TEXT, text)
        if path == METRICS:
            return self._scraped(environ, start_response)
        return self._found(path, start_response)

    def _is_asked_by_name(self, path: str, host: str | None) -> bool:
        """A Prometheus elsewhere knows the exporter by a name that this host may not know."""
        if path == METRICS and not self._hosts.are_of_loopback:
            return True
        return self._hosts.knows(host)

    def _found(self, path: str, start_response: StartResponse) -> Iterable[bytes]:
        if path == "/":
            page = self._page
            return _answer(start_response, "200 OK", _HTML, page.html, policy=page.policy)
        if path == "/favicon.ico":
            return _answer(start_response, "204 No Content", _TEXT, b"")
        if (found := self._document(path)) is not None:
            return _answer(start_response, "200 OK", _JSON, orjson.dumps(found))
        text = f"There is /, {METRICS}, {TASKS} and {TASKS}/TASK.\n".encode()
        return _answer(start_response, "404 Not Found", _TEXT, text)

    def _document(self, path: str) -> dict[str, Any] | None:
        if path == TASKS:
            return self._documents.tasks()
        lead, _, name = path.rpartition("/")
        return self._documents.task(name) if lead == TASKS else None

    def _scraped(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            policy = ("Content-Security-Policy", _NOTHING)
            return start_response(status, [*headers, policy, *_ALWAYS], *rest)

        return self._metrics({**environ, "REQUEST_METHOD": "GET"}, start)


class Server(ThreadingMixIn, WSGIServer):
    """Answers each in a thread of its own."""

    daemon_threads = True

    def __init__(self, listen: str, port: int, site: WSGIApplication) -> None:
        """Listen.

        Raises:
            OSError: the port is taken, or the address is none of this host's.
        """
        family, _, _, _, place = socket.getaddrinfo(
            listen, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        self.address_family = family
        super().__init__((str(place[0]), port), _Handler)
        self.set_app(site)

    def url(self, listen: str, path: str) -> str:
        """Where something is found."""
        host = f"[{listen}]" if ":" in listen else listen
        return f"http://{host}:{self.server_port}{quote(path)}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who goes away before he has his answer, or never asks, is no error of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: who looks at the page asks every few seconds."""


def _answer(
    start_response: StartResponse,
    status: str,
    kind: str,
    body: bytes,
    policy: str = _NOTHING,
    **more: str,
) -> list[bytes]:
    said = {"Content-Type": kind, "Content-Length": str(len(body)), **more}
    start_response(status, [*said.items(), ("Content-Security-Policy", policy), *_ALWAYS])
    return [body]


def _path(environ: WSGIEnvironment) -> str:
    """As it was asked for; PEP 3333 has its bytes as Latin-1."""
    path: str = environ.get("PATH_INFO", "")
    return path.encode("latin-1", "replace").decode("utf-8", "replace") or "/"


def _plain(name: str) -> str:
    return name.strip().rstrip(".").lower()


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_loopback(listen: str) -> bool:
    address = _address(listen)
    return address.is_loopback if address else _plain(listen) == "localhost"
