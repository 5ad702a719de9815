"""Writes version after version of some keys with the product's own writer.

``python -m integration.late_writer URL KEYS``; prints each version that is durable. A line on stdin
ends the versions; then it settles, prints ``settled`` and ends.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from kcl_processor.clock import SystemClock
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.destination import DestinationTable
from kcl_processor.replicate.refusals import Origin, StopOnRefusal
from kcl_processor.replicate.write import Writer
from tests.endpoints import endpoint_at
from tests.fakes import OpenFence

_AT_ONCE = 16
# Versions a second, at most.
_RATE = 20


def main() -> None:
    """Write until told to stop."""
    writer, count = writer_to(sys.argv[1]), int(sys.argv[2])
    ended = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.readline()
        ended.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    version = 0
    while not ended.is_set():
        version += 1
        writer.write(changes(count, version), OpenFence())
        print(version, flush=True)
        time.sleep(1 / _RATE)
    writer.settle(OpenFence())
    print("settled", flush=True)


def writer_to(url: str) -> Writer:
    """The writer of a record processor."""
    clock = SystemClock()
    return Writer(
        DestinationTable("replica", endpoint_at(url, connections=_AT_ONCE, clock=clock)),
        StopOnRefusal(Origin("late", "source", "replica", "shard")),
        clock,
        time.sleep,
        Window(largest=_AT_ONCE),
        ThreadPoolExecutor(_AT_ONCE),
    )


def changes(count: int, version: int) -> list[Change]:
    """A version of each item, of about 1 KB."""
    body = b'{"pk":{"S":"%d"},"v":{"N":"%d"},"text":{"S":"%b"}}'
    return [
        Change(
            canonical_key({"pk": {"S": str(number)}}),
            body % (number, version, b"x" * 1000),
            str(version),
            0,
        )
        for number in range(count)
    ]


if __name__ == "__main__":
    main()
