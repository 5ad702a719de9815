"""Servers on this machine that stand for AWS, for a proxy and for what gives credentials.

Each of them records what reached it; a test says with that whether a setting was obeyed.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_KEY_ID = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/")


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def key_id(self) -> str:
        """Whose signature it bears."""
        found = _KEY_ID.search(self.headers.get("Authorization", ""))
        return found[1] if found else ""


@dataclass(frozen=True)
class Reply:
    """What a server answers with."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Reply:
        return cls(json.dumps(value).encode(), status, headers)


Answering = Callable[[Request], Reply]


class Edge:
    """A server that is running."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []

    @property
    def key_ids(self) -> list[str]:
        """Who signed, request by request."""
        return [request.key_id for request in self.requests]


@contextmanager
def serving(
    answer: Answering, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Edge]:
    """A server on a free port of this host."""

    class Serving(Handler):
        def _any(self) -> None:
            edge.requests.append(request := self.request_in())
            self.reply(answer(request))

        do_GET = do_POST = do_PUT = _any

    with running(Serving, tls, host) as port:
        edge = Edge(f"{'https' if tls else 'http'}://{host}:{port}")
        yield edge


@contextmanager
def proxying(to: Edge | None = None) -> Iterator[Edge]:
    """A proxy: for HTTPS it joins two sockets, for HTTP it asks for whoever asks it.

    Args:
        to: where it leads to, whatever it is asked for; by default to the port it is asked for.
    """

    class Passing(Handler):
        def do_CONNECT(self) -> None:
            edge.requests.append(Request("CONNECT", self.path, dict(self.headers), b""))
            _, _, port = (to.url if to else self.path).rpartition(":")
            with socket.create_connection(("127.0.0.1", int(port))) as far:
                self.send_response_only(200)
                self.end_headers()
                _join(self.connection, far)
            self.close_connection = True

        def do_POST(self) -> None:
            edge.requests.append(request := self.request_in())
            asked = urlsplit(to.url if to else self.path)
            far = HTTPConnection(asked.netloc, timeout=10)
            far.request("POST", "/", request.body, dict(self.headers))
            self.reply(Reply(far.getresponse().read()))
            far.close()

    with running(Passing) as port:
        edge = Edge(f"http://127.0.0.1:{port}")
        yield edge


def passed_on(url: str, request: Request) -> Reply:
    """What the service behind another URL answers."""
    headers = {name: text for name, text in request.headers.items() if name != "Host"}
    far = HTTPConnection(urlsplit(url).netloc, timeout=10)
    far.request("POST", "/", request.body, headers)
    answered = far.getresponse()
    reply = Reply(answered.read(), answered.status)
    far.close()
    return reply


class Silence:
    """An answer that does not come.

    Attributes:
        begun: there is a request now that waits for it.
        over: once it is set, it comes.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.begun, self.over = threading.Event(), threading.Event()

    def __call__(self, _request: Request) -> Reply:
        self.begun.set()
        self.over.wait(30)
        return self._reply


@contextmanager
def silent(reply: Reply) -> Iterator[tuple[Edge, Silence]]:
    """A server that takes requests, and keeps its answers until the end of its silence."""
    silence = Silence(reply)
    with serving(silence) as edge:
        try:
            yield edge, silence
        finally:
            silence.over.set()


class Handler(BaseHTTPRequestHandler):
    """Takes requests and sends replies, without a word on stderr."""

    protocol_version = "HTTP/1.1"
    # Head and body are sent apart: the body would wait until the head is acknowledged, 40 ms.
    disable_nagle_algorithm = True

    def request_in(self) -> Request:
        """The request that is here; its body is cut where its connection ended."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return Request(self.command, self.path, dict(self.headers), body)

    def reply(self, reply: Reply) -> None:
        """Answer it."""
        self.send_response_only(reply.status)
        for name, value in {"Date": self.date_time_string(), **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Of many connections at once, five would be let in and the others lose what they sent.
    request_queue_size = 128


@contextmanager
def running(
    handler: type[Handler],
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[int]:
    """A server with a thread a connection; yields its port, a free one if it is to be 0."""
    server = _Server((host, port), handler)
    if tls:
        # The handshake is the connection's thread's: one that fails must not end the server.
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _join(one: socket.socket, other: socket.socket) -> None:
    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join()


class Authority:
    """A certificate authority that nobody knows, but for whom its bundle is named to.

    Args:
        hosts: what its server is called, beside this host's name and address.
    """

    def __init__(self, folder: Path, *hosts: str) -> None:
        local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        self._names = [local, *map(x509.DNSName, ("localhost", *hosts))]
        self.bundle = folder / "authority.pem"
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test's authority")])
        certificate = self._signed(self._name, self._key.public_key(), ca=True)
        self.bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self) -> ssl.SSLContext:
        """For a server on this host."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        pem = self._folder / "server.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + self._signed(name, key.public_key()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    def _signed(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, *, ca: bool = False
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(self._names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
