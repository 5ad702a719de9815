"""Whether the daemon lives that started this process: it holds the other end of our stdin.

The kernel lets go of that end whatever the daemon died of. ``PR_SET_PDEATHSIG`` would not do: it
comes at the death of the thread that started us, and the KCL's threads end when they idle. Nor
does the end of the input, which is not read while a batch is written.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable


class Lifeline:
    """The pipe from the daemon. Safe to ask from many threads at once.

    Args:
        pipe: the descriptor of this process' end.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def holds(self) -> bool:
        """Whether the daemon holds its end; what it wrote before its death may be unread."""
        return not self._cut(0)

    def watch(self, patience: float, end: Callable[[], None]) -> None:
        """From now on, call ``end`` so many seconds after the daemon let go, in a thread."""

        def wait() -> None:
            while not self._cut(None):
                pass
            threading.Event().wait(patience)
            end()

        threading.Thread(target=wait, name="lifeline", daemon=True).start()

    def _cut(self, patience: int | None) -> bool:
        poll = select.poll()
        # With no event asked for, what is left is the end of the pipe.
        poll.register(self._pipe, 0)
        return bool(poll.poll(patience))
