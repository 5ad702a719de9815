"""Dead letters applied again, each only if its key has not changed since.

The daemon goes on after a dead letter, so the source may hold a newer item by now, which the
daemon has written or will write. While the source's item still is what a letter says, applying the
letter means to make the destination's equal to it, which is what a repair does.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import orjson

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import DestinationError, SourceError
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.preflight import check_destination, describe, key_schema
from kcl_processor.replicate.change import canonical_key
from kcl_processor.state.dead_letters import DeadLetter
from kcl_processor.table import access
from kcl_processor.table.equality import same
from kcl_processor.table.patience import Refused
from kcl_processor.table.repair import Repair
from kcl_processor.table.table_reader import TableReader


class LetterOutcome(Enum):
    """What became of one letter."""

    APPLIED = "applied"
    CHANGED = "changed since"
    REFUSED = "refused again"
    FOREIGN = "of another task"
    MOVING = "changing too fast"


class Replay:
    """Applies dead letters.

    Args:
        task: whose letters are applied.
        repair: between the two tables; it must delete what the source lacks, for a letter may be
            of a deletion.
    """

    def __init__(self, task: str, source: TableReader, repair: Repair) -> None:
        self._task = task
        self._source = source
        self._repair = repair

    def apply(self, letter: DeadLetter) -> LetterOutcome:
        """Apply one letter, if its key has not changed since.

        Raises:
            OperatorError: a table cannot be read or written at all.
        """
        if letter.task != self._task:
            return LetterOutcome.FOREIGN
        key = canonical_key(letter.key)
        image = None if letter.image is None else orjson.dumps(letter.image)
        try:
            # Of a table that had other keys, even this is refused.
            if not same(self._source.get([key]).get(key), image):
                return LetterOutcome.CHANGED
            return LetterOutcome.APPLIED if self._repair.apply(key).equal else LetterOutcome.MOVING
        except Refused:
            return LetterOutcome.REFUSED


def open_replay(task: Task, clock: Clock, wait: Callable[[float], None]) -> Replay:
    """What replays a task's letters.

    Raises:
        OperatorError: one of the tables is not there, or they are not a source and its replica.
    """
    described = describe(task.source, SourceError, "check the source")
    keys = key_schema(described)
    check_destination(task, keys, Incarnation.of(described))
    sides = ((task.source, SourceError), (task.destination, DestinationError))
    source, destination = (access.calls(side, error, None, 1, clock, wait) for side, error in sides)
    readers = [TableReader(calls, keys, page_items=1) for calls in (source, destination)]
    repair = Repair(readers[0], readers[1], destination, delete_extra=True, dry_run=False)
    return Replay(task.name, readers[0], repair)
