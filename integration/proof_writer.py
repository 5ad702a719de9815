"""Writes as fast as it can while a proof allows it, as a record processor does.

``python -m integration.proof_writer URL KEYS SECONDS``; a proof lasts for SECONDS. Prints when each
was made, until it is killed.
"""

from __future__ import annotations

import sys
import time

from integration.late_writer import changes, writer_to


class Proof:
    """A fence whose proofs cost nothing."""

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._proven_at = 0.0

    def hold(self) -> None:
        if self.remaining() <= self._lifetime / 6:
            self._proven_at = time.monotonic()
            print(self._proven_at, flush=True)

    def remaining(self) -> float:
        return max(0.0, self._proven_at + self._lifetime - time.monotonic())


def main() -> None:
    """Write until killed."""
    writer, batch = writer_to(sys.argv[1]), changes(int(sys.argv[2]), 1)
    proof = Proof(float(sys.argv[3]))
    while True:
        writer.write(batch, proof)


if __name__ == "__main__":
    main()
