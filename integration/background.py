"""Something that is done over and over in a thread while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(step: Callable[[], object], every: float) -> Iterator[None]:
    """Call ``step`` every so many seconds until the block ends."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every):
            step()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
