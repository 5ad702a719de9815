"""A proxy that writes down which AWS actions go through it, for the time of a ``with`` block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import urllib3

# Headers that belong to one hop.
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Recorder:
    """The actions seen so far, as in ``DynamoDB_20120810.Scan``."""

    def __init__(self) -> None:
        self.url = ""
        self.actions: set[str] = set()


@contextmanager
def recording(target: str) -> Iterator[Recorder]:
    """Forward everything to the URL ``target``, recording its actions."""
    recorder = Recorder()
    pool = urllib3.PoolManager(maxsize=32, retries=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            recorder.actions.add(_action(self.headers.get("X-Amz-Target"), body))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            answer = pool.request(
                "POST", target + self.path, body=body, headers=headers, decode_content=False
            )
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    recorder.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()


def _action(target: str | None, body: bytes) -> str:
    if target:
        return target
    return parse_qs(body.decode(errors="replace")).get("Action", ["unknown"])[0]
