"""Whose turn it is to heal a task's gaps: one process of the fleet at a time.

Healing twice at once does no harm, for each write is on condition; it costs exports and reads. So
who heals holds a row beside KCL's own state (:mod:`held_row`), and shows there that it lives. Of
what others notice meanwhile they heal what is left when it has let go, or has died.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.own_rows import Row
from kcl_processor.launch.copy_mark import BEAT
from kcl_processor.table.held_row import HeldRow, PartTaken, Words
from kcl_processor.table.pace import Halt, Halted

KEY = "KclProcessorHealing"


@dataclass
class _Turn:
    """One of them. How far it is need not be known: exports tell the next one, too."""

    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    finished_at: float | None = None


class _TurnRow(HeldRow[_Turn]):
    def __init__(self, task: Task, clock: Clock, wait: Callable[[float], None]) -> None:
        command = f"kcl-processor heal {task.name}"
        words = Words(f"A gap of task {task.name}", "healed", command, f"{command}, later")
        super().__init__(task, KEY, words, clock, wait)

    def encode(self, progress: _Turn) -> bytes:
        return progress.token.encode()

    def decode(self, row: Row | None) -> _Turn | None:
        return _Turn(row["token"]["S"]) if row else None


class _TurnHalt(Halt):
    """A halt that is set, too, when the turn is another's."""

    def __init__(self, outer: Halt) -> None:
        super().__init__()
        self._outer = outer
        self.taken: PartTaken | None = None

    def wait(self, seconds: float) -> None:
        super().wait(0)
        self._outer.wait(seconds)


@contextmanager
def healing_turn(task: Task, halt: Halt, clock: Clock) -> Iterator[Halt]:
    """Heal while nobody else of the fleet does.

    Yields:
        The halt to wait by.

    Raises:
        PartTaken: another process heals, or has taken this one for dead.
        OperatorError, PermissionDenied: the row cannot be read or written.
    """
    row, turn = _TurnRow(task, clock, halt.wait), _Turn()
    row.take(turn)
    own, ended = _TurnHalt(halt), threading.Event()
    # Files are checked and pages healed for longer than a row may stand still.
    beating = threading.Thread(target=_beat, args=(row, turn, own, ended), name="heal-turn")
    beating.start()
    try:
        yield own
    except Halted:
        if own.taken:
            raise own.taken from None
        raise
    finally:
        ended.set()
        beating.join()
        row.release(turn)


def _beat(row: _TurnRow, turn: _Turn, halt: _TurnHalt, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        # A writing that failed is made up for by the next one, or the row is another's by then.
        with suppress(OperatorError):
            try:
                row.write(turn)
            except PartTaken as taken:
                halt.taken = taken
                halt.set()
                return
