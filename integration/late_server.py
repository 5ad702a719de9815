"""Takes versions of items by BatchWriteItem, and says of each key whether it went back.

``python -m integration.late_server ADDRESS PORT``; prints its port, and answers each line on stdin
with the state as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from tests.edges import Handler, Reply, running


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

    class Applying(Handler):
        def do_POST(self) -> None:
            body = self.request_in().body
            # What is not whole is nothing to a service.
            if len(body) == int(self.headers["Content-Length"]):
                ((_, writes),) = json.loads(body)["RequestItems"].items()
                state.apply(writes)
                self.reply(Reply.of({"UnprocessedItems": {}}))

    with running(Applying, host=sys.argv[1], port=int(sys.argv[2])) as port:
        print(port, flush=True)
        for _ in sys.stdin:
            told = {"versions": state.versions, "back": state.back, "arrivals": state.arrivals}
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
