"""Dead letters applied again, each only if its key has not changed since.

The daemon goes on after a dead letter, so the source may hold a newer item by now, which the
daemon has written or will write. While the source's item still is what a letter says, applying the
letter means to make the destination's equal to it, which is what a repair does. A letter holds the
item as the source had it: what the rules make of it is worked out anew.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

import orjson

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import DestinationError, SourceError
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.preflight import check_destination, describe, key_schema
from kcl_processor.launch.switch_mark import SwitchLook
from kcl_processor.replicate.change import canonical_key
from kcl_processor.state.dead_letters import DeadLetter
from kcl_processor.table import access
from kcl_processor.table.equality import same
from kcl_processor.table.patience import Refused
from kcl_processor.table.repair import Outcome, Repair
from kcl_processor.table.sides import Pair, Sides, open_sides
from kcl_processor.table.table_reader import TableReader
from kcl_processor.transform.transform import RuleFailed, Transform


class LetterOutcome(Enum):
    """What became of one letter."""

    APPLIED = "applied"
    CHANGED = "changed since"
    REFUSED = "refused again"
    FOREIGN = "of another task"
    MOVING = "changing too fast"
    UNTRACED = "of no known place, or another item has it"


_UNEQUAL = {
    Outcome.LEFT: LetterOutcome.UNTRACED,
    Outcome.FAILED: LetterOutcome.REFUSED,
}


class Replay:
    """Applies dead letters.

    Args:
        task: whose letters are applied.
        source_arn: of the source's table; a letter of a table of another account, that has the same
            name and is another task's of this name, is none of these.
        repair: between the two tables; it must delete what the source lacks, for a letter may be
            of a deletion.
        transform: the task's rules, if it has any.
    """

    def __init__(
        self,
        task: str,
        source_arn: str,
        source: TableReader,
        repair: Repair,
        transform: Transform | None = None,
    ) -> None:
        self._task = task
        self._source_arn = source_arn
        self._source = source
        self._repair = repair
        self._transform = transform

    def apply(self, letter: DeadLetter) -> LetterOutcome:
        """Apply one letter, if its key has not changed since.

        Raises:
            OperatorError: a table cannot be read or written at all.
        """
        if letter.task != self._task or letter.source_arn not in ("", self._source_arn):
            return LetterOutcome.FOREIGN
        key = canonical_key(letter.key)
        image = None if letter.image is None else orjson.dumps(letter.image)
        try:
            # Of a table that had other keys, even this is refused.
            if not same(self._source.get([key]).get(key), image):
                return LetterOutcome.CHANGED
            place = self._place(letter)
            outcome = self._repair.apply(Pair(place, key)) if place else Outcome.LEFT
        except (Refused, RuleFailed):
            return LetterOutcome.REFUSED
        if outcome.equal:
            return LetterOutcome.APPLIED
        return _UNEQUAL.get(outcome, LetterOutcome.MOVING)

    def _place(self, letter: DeadLetter) -> bytes | None:
        """The canonical key under which the destination holds a letter's item, or held it before
        the item went or left the rules; ``None`` if that is not known.

        Raises:
            RuleFailed: it cannot be worked out.
        """
        transform = self._transform
        if transform is None:
            return canonical_key(letter.key)
        laid = transform.lay(letter.image)
        if laid is not None:
            return canonical_key(transform.key_of(laid))
        if transform.rules.python or (letter.image is None and transform.moves):
            return None
        return canonical_key(transform.key_for(letter.image or letter.key))


def open_replay(task: Task, clock: Clock, wait: Callable[[float], None]) -> Replay:
    """What replays a task's letters.

    Raises:
        OperatorError: one of the tables is not there, or they are not a source and its replica.
    """
    opened = open_repair(task, 1, clock, wait)
    return Replay(task.name, opened.source_arn, opened.source, opened.repair, opened.transform)


class Opened(NamedTuple):
    """A task's source, both sides, what makes single keys good between them, and the rules."""

    source: TableReader
    source_arn: str
    sides: Sides
    repair: Repair
    transform: Transform | None


def open_repair(
    task: Task, threads: int, clock: Clock, wait: Callable[[float], None], *, keeps: bool = False
) -> Opened:
    """Open both tables of a task to make single keys good.

    Args:
        threads: how many keys are made good at once.
        keeps: what the source has deleted may stay at the destination.

    Raises:
        OperatorError: one of the tables is not there, or they are not a source and its replica.
    """
    described = describe(task.source, SourceError, "check the source")
    keys = key_schema(described)
    _, transform = check_destination(task, keys, Incarnation.of(described))
    replica = describe(task.destination, DestinationError, "check the destination")
    reading = access.calls(task.source, SourceError, None, threads, clock, wait)
    writing = access.calls(task.destination, DestinationError, None, threads, clock, wait)
    source = TableReader(reading, keys, page_items=1)
    destination = TableReader(writing, key_schema(replica), page_items=1)
    sides = open_sides(source, destination, transform, keeps=keeps)
    look = SwitchLook(task, clock)
    repair = Repair(sides, writing, delete_extra=True, dry_run=False, may_lay=look)
    return Opened(source, described["TableArn"], sides, repair, transform)
