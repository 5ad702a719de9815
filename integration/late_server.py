"""Takes versions of items by BatchWriteItem, and says of each key whether it went back.

``python -m integration.late_server ADDRESS PORT``; prints its port, and answers each line on stdin
with the state as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class State:
    """The version of each key, how many writes were older than what they met, and when all came."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.back = 0
        self.arrivals: list[float] = []
        self._lock = threading.Lock()

    def apply(self, writes: list[dict[str, Any]]) -> None:
        with self._lock:
            self.arrivals.append(time.monotonic())
            for write in writes:
                item = write["PutRequest"]["Item"]
                key, version = item["pk"]["S"], int(item["v"]["N"])
                self.back += version < self.versions.get(key, 0)
                self.versions[key] = version


def main() -> None:
    """Serve until stdin ends."""
    state = State()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                return
            ((_, writes),) = json.loads(body)["RequestItems"].items()
            state.apply(writes)
            answer = b'{"UnprocessedItems":{}}'
            self.send_response_only(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    for _ in sys.stdin:
        told = {"versions": state.versions, "back": state.back, "arrivals": state.arrivals}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
