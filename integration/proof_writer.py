"""Writes as fast as it can while a proof allows it, as a record processor does.

``python -m integration.proof_writer URL KEYS SECONDS``; a proof lasts for SECONDS. Prints when each
was made, until it is killed.
"""

from __future__ import annotations

import math
import sys
import time

from integration.late_writer import changes, writer_to
from kcl_processor.clock import SystemClock
from kcl_processor.replicate.checkpoint import Position


class Printing:
    """A checkpointer that grants every proof, and prints when."""

    def record(self, _sequence_number: str | None) -> None:
        # The clock of the server that it is compared with.
        print(time.monotonic(), flush=True)


def main() -> None:
    """Write until killed."""
    writer, batch = writer_to(sys.argv[1]), changes(int(sys.argv[2]), 1)
    position = Position("TRIM_HORIZON", SystemClock(), math.inf, float(sys.argv[3]), time.sleep)
    position.use(Printing())
    while True:
        writer.write(batch, position)


if __name__ == "__main__":
    main()
