"""A difference made good: the source's item written over exactly what was compared.

The daemon may be writing the same key. So each write carries the condition that the destination
still holds what was read, and afterwards both sides are read again: if the source moved meanwhile,
the key is repaired once more. The condition alone does not do: the destination may have gone to the
newest item and back to what was read. So a repair ends when both sides are equal, or when what the
destination holds is not the repair's own; it never leaves behind what it has laid. A write whose
fate is unknown has its time to settle before that look.

Some stores find no list and no map equal to itself (dynalite's ``valsEqual``), and so refuse every
such condition. Where one is refused and the destination still holds what was compared, the next one
asks of lists and maps only how many members they have: the look afterwards does the rest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from enum import Enum
from typing import Any

import orjson

from kcl_processor.replicate.doubt import WINDOW
from kcl_processor.table.compare import NO_SEGMENT, Difference, difference
from kcl_processor.table.equality import same
from kcl_processor.table.patience import ConditionFailed, PatientCalls
from kcl_processor.table.sides import Kind, Pair, Sides

# Of a key whose destination somebody else keeps moving.
_TRIES = 8
# An expression holds at most 300 operators and 4 KB (developer guide, "Expression size limits").
# Of an item with more attributes, this many are compared.
_MOST_ATTRIBUTES = 120
# What the destination holds there is of another item, of one that is not known, or meant to stay.
_TO_STAY = (Kind.COLLIDING, Kind.UNTRACED, Kind.KEPT)


class Outcome(Enum):
    """What became of a difference."""

    PUT = "put"
    DELETED = "deleted"
    SETTLED = "settled"
    LEFT = "left"
    UNSETTLED = "unsettled"
    REFUSED = "refused"
    FAILED = "rule fails"
    WOULD_PUT = "would put"
    WOULD_DELETE = "would delete"

    @property
    def equal(self) -> bool:
        """Whether both sides are equal now."""
        return self in (Outcome.PUT, Outcome.DELETED, Outcome.SETTLED)


class Repair:
    """Makes differences good. Safe to call from many threads, each with its own key.

    Args:
        calls: on the destination's table.
        delete_extra: delete what the source does not hold; otherwise it is left.
        dry_run: only say what would be done.
        may_lay: raises where the source's items are to be laid no more; asked before each write.
    """

    def __init__(
        self,
        sides: Sides,
        calls: PatientCalls,
        *,
        delete_extra: bool,
        dry_run: bool,
        may_lay: Callable[[], None] = lambda: None,
    ) -> None:
        self._sides = sides
        self._calls = calls
        self._may_lay = may_lay
        self._delete_extra = delete_extra
        self._dry_run = dry_run

    def apply(self, pair: Pair) -> Outcome:
        """Make the destination's item under a pair's key what the source's is to be there.

        Raises:
            OperatorError: a side cannot be read or written.
        """
        outcome = Outcome.SETTLED
        laid: list[bytes | None] = []
        refused: Difference | None = None
        for tries in itertools.count():
            (both,) = self._sides.look([pair])
            now = difference(NO_SEGMENT, pair, both)
            if now is None:
                break
            if now.kind is Kind.FAILED:
                return Outcome.FAILED
            extra = now.source is None
            # What was laid here goes again if the source deleted it meanwhile, whoever may delete.
            if not any(same(now.destination, one) for one in laid):
                if now.kind in _TO_STAY or (extra and not self._delete_extra):
                    return Outcome.LEFT
                if tries >= _TRIES:
                    return Outcome.UNSETTLED
            if self._dry_run:
                return Outcome.WOULD_DELETE if extra else Outcome.WOULD_PUT
            self._may_lay()
            # Before the write: one whose answer was lost is repeated, and its condition then fails.
            laid.append(now.source)
            unmoved = refused is not None and same(refused.destination, now.destination)
            if self._write(now, documents=not unmoved):
                outcome = Outcome.DELETED if extra else Outcome.PUT
            else:
                refused = now
        return outcome

    def _write(self, now: Difference, *, documents: bool) -> bool:
        """Write under the condition that the destination holds ``now.destination``."""
        target = b'"Item":%b' % now.source if now.source is not None else b'"Key":%b' % now.pair.key
        operation = "DeleteItem" if now.source is None else "PutItem"
        rest = orjson.dumps({"TableName": self._calls.table, **condition(now, documents=documents)})
        try:
            self._calls.call(operation, b"{%b,%b" % (target, rest[1:]), 1.0, WINDOW)
        except ConditionFailed:
            return False
        return True


def condition(found: Difference, *, documents: bool = True) -> dict[str, Any]:
    """The parameters that say: the destination's item is still the one that was compared.

    Attributes that only the source has must be absent still, the others must have their values.

    Args:
        documents: compare lists and maps by what they hold, not only by how many members they have.
    """
    if found.destination is None:
        return nothing_there(found.pair)
    key = orjson.loads(found.pair.key)
    ours = orjson.loads(found.source or b"{}")
    theirs = orjson.loads(found.destination)
    # What differs comes first, so that a long item's bound falls on what is equal.
    compared = sorted((ours.keys() | theirs.keys()) - key.keys(), key=found.attributes.__contains__)
    compared = [*key, *reversed(compared)][:_MOST_ATTRIBUTES]
    names = {f"#{at}": name for at, name in enumerate(compared)}
    values: dict[str, Any] = {}
    terms = []
    for at, name in enumerate(compared):
        if name not in theirs:
            terms.append(f"attribute_not_exists(#{at})")
            continue
        members = None if documents else _members(theirs[name])
        terms.append(f"#{at}=:{at}" if members is None else f"size(#{at})=:{at}")
        values[f":{at}"] = theirs[name] if members is None else {"N": str(members)}
    return {
        "ConditionExpression": " AND ".join(terms),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def nothing_there(pair: Pair) -> dict[str, Any]:
    """The parameters that say: the destination has no item under a pair's key."""
    return {
        "ConditionExpression": "attribute_not_exists(#0)",
        "ExpressionAttributeNames": {"#0": next(iter(orjson.loads(pair.key)))},
    }


def _members(value: dict[str, Any]) -> int | None:
    """How many members a list or a map has; ``None`` of anything else."""
    ((kind, content),) = value.items()
    return len(content) if kind in ("L", "M") else None
