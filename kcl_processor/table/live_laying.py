"""Laying items beside a daemon that writes the same table.

An item is laid only where nothing is: what the daemon has written is never written over. What a
scan has shown may be gone at the source, though, and the daemon may have applied the deletion
before the item was laid. So behind the laying the source is asked again, strongly consistent: what
is gone there by then is taken away, if it is still what was laid. A deletion before that look is
seen by it, and one behind it is in the stream behind what was laid.

The item may also come back at the source, as it was, between the look and the taking away, which
would then hit what the daemon has written. So behind each taking away comes another look, and what
is there is laid again, and looked at, until it rests.

A run that is killed between the laying and the look leaves what nobody looks at. So the keys are
named ahead, where whoever goes on finds them, and looks at them first. tests/table/live_model.py
holds all of this against everything that can happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from kcl_processor.aws.wire import Answer
from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.replicate.consumption import item_units
from kcl_processor.replicate.doubt import WINDOW
from kcl_processor.replicate.refusals import Refusals
from kcl_processor.replicate.write import Fence, Tally
from kcl_processor.table.compare import NO_SEGMENT, Difference
from kcl_processor.table.equality import same
from kcl_processor.table.laid_reader import LaidReader
from kcl_processor.table.patience import ConditionFailed, PatientCalls, Refused
from kcl_processor.table.repair import condition, nothing_there
from kcl_processor.table.sides import Kind, Pair, known, under
from kcl_processor.table.table_reader import Failed, TableReader
from kcl_processor.transform.transform import Transform

# Bytes of keys that are named ahead in one row, which may have 400 KB.
_CHUNK_BYTES = 150_000
# BatchGetItem's share of one thread.
_KEYS_AT_ONCE = 25


class Bounded(Protocol):
    """An endpoint whose calls can be bounded; :class:`~kcl_processor.aws.wire.Endpoint` is one."""

    def call(self, operation: str, body: bytes, remaining: Callable[[], float]) -> Answer:
        """Make one attempt; never raises."""


class FencedCaller:
    """An endpoint whose calls go out while the fence holds, and end with it."""

    def __init__(self, endpoint: Bounded, fence: Fence) -> None:
        self._endpoint = endpoint
        self._fence = fence

    def call(self, operation: str, body: bytes) -> Answer:
        """One attempt, once the fence holds; raises what the fence's waiting raises."""
        self._fence.hold()
        return self._endpoint.call(operation, body, self._fence.remaining)


class Origins:
    """The source, as it is to lie under keys of the destination; strongly consistent."""

    def __init__(self, source: TableReader, transform: Transform | None) -> None:
        self._source = source
        self._transform = transform
        self._laid = LaidReader(source, transform) if transform else None
        self._moves = transform is not None and transform.moves

    def look(self, pairs: Sequence[Pair], *, keeps: bool = False) -> dict[Pair, bytes | None]:
        """What the source has for each pair; ``None`` for nothing.

        A pair is left out if its rule fails now, and what lay there is to stay.

        Args:
            keeps: leave out what the source does not hold at all, too.

        Raises:
            OperatorError: the source cannot be read.
        """
        origins = known(pair.origin for pair in pairs)
        if self._laid is None:
            found = self._source.get(origins)
            seen = {pair: found.get(pair.origin or b"") for pair in pairs}
            return {pair: one for pair, one in seen.items() if one or not keeps}
        laid = self._laid.get(origins)
        seen = {}
        for pair in pairs:
            if keeps and pair.origin not in laid:
                continue
            one = laid.get(pair.origin or b"")
            image = under(pair.key, one)
            if image is not None or self._moves or not isinstance(one, Failed):
                seen[pair] = image
        return seen

    def is_anothers(self, pair: Pair, held: bytes) -> bool:
        """Whether what lies under a pair's key comes from another item of the source, as far as it
        tells: by rules under which items may meet."""
        if self._transform is None:
            return False
        origin = self._transform.origin(orjson.loads(held))
        return origin is not None and canonical_key(origin) != pair.origin


@dataclass(slots=True)
class LiveTally(Tally):
    """What a writer has done; what was there already counts as written.

    Attributes:
        there: so many of those.
        taken_away: laid, and by then gone at the source.
    """

    there: int = 0
    taken_away: int = 0


class LiveWriter:
    """Lays items beside the daemon; all decisions are made on the calling thread.

    Args:
        held: reads the destination.
        calls: on the destination's table, behind the fence.
        refusals: where an item goes that the destination never accepts.
        name_ahead: makes the keys of what is laid next durable, before it returns.
        pool: runs single calls.
        keeps: what the source's time to live deleted may stay at the destination.
    """

    def __init__(
        self,
        origins: Origins,
        held: TableReader,
        calls: PatientCalls,
        refusals: Refusals,
        name_ahead: Callable[[list[Pair]], None],
        pool: Executor,
        *,
        keeps: bool,
    ) -> None:
        self._tally = LiveTally()
        self._origins = origins
        self._held = held
        self._calls = calls
        self._refusals = refusals
        self._breaker = Breaker(calls.table)
        self._name_ahead = name_ahead
        self._pool = pool
        self._keeps = keeps

    @property
    def tally(self) -> LiveTally:
        """What it has done."""
        calls = self._calls.tally
        self._tally.requests, self._tally.throttled = calls.requests, calls.throttled
        self._tally.consumed = calls.consumed
        return self._tally

    def write(self, changes: Sequence[Change], fence: Fence) -> None:
        """Lay items under distinct keys, and return when each of them rests.

        Raises:
            OperatorError: a side fails; some may lie that nobody has looked at.
            Whatever ``fence.hold`` raises.
        """
        for chunk in _chunks(changes):
            fence.hold()
            self._name_ahead([_pair(change) for change in chunk])
            self._lay(chunk)

    def settle(self, fence: Fence) -> None:
        """Nothing: each call has settled before the look behind it."""

    def look_behind(self, pairs: Sequence[Pair]) -> None:
        """Bring to rest what an earlier run has named ahead, and may have laid.

        Raises:
            OperatorError: a side fails.
        """
        held = self._all(self._held_of, pairs)
        # What the daemon applied and the source's time to live deleted cannot be told from what was
        # laid and then deleted. What the source has still, and rules lay elsewhere, is neither.
        seen = self._all(lambda part: self._origins.look(part, keeps=self._keeps), pairs)
        gone = [(pair, held[pair]) for pair in held if pair in seen and seen[pair] is None]
        # What has followed it under its key is another pair's, or the daemon's.
        self._take_all_away([one for one in gone if not self._origins.is_anothers(*one)])
        # What lay there before the look at the source has been looked at with that.
        missing = {
            pair: image for pair, image in seen.items() if image is not None and pair not in held
        }
        # What is refused here the scan meets, which knows it as the source has it.
        list(self._pool.map(self._put, missing.items()))
        self._look_at(missing)

    def _lay(self, changes: Sequence[Change]) -> None:
        images = {_pair(change): change.image or b"" for change in changes}
        outcomes = self._pool.map(self._put, images.items())
        for change, outcome in zip(changes, outcomes, strict=True):
            if isinstance(outcome, Refused):
                self._refuse(change, outcome)
                del images[_pair(change)]
                continue
            self._breaker.accepted([change])
            self._tally.written += 1
            self._tally.there += not outcome
            # A call whose answer was lost may find what it has laid itself.
            if self._keeps and not outcome:
                del images[_pair(change)]
        self._look_at(images)

    def _look_at(self, laid: dict[Pair, bytes]) -> None:
        """Take away what is gone at the source by now."""
        seen = self._all(self._origins.look, list(laid))
        self._take_all_away([(pair, laid[pair]) for pair, now in seen.items() if now is None])

    def _take_all_away(self, gone: Sequence[tuple[Pair, bytes]]) -> None:
        self._tally.taken_away += sum(self._pool.map(lambda one: self._rest(*one), gone))

    def _rest(self, pair: Pair, laid: bytes) -> bool:
        """Bring to rest what is gone at the source; whether it is gone for good."""
        while True:
            self._take_away(pair, laid)
            now = self._origins.look([pair]).get(pair)
            if now is None:
                return True
            if isinstance(self._put((pair, now)), Refused):
                # The daemon meets it in the stream, and does as the task says.
                return False
            # A rule that fails by now leaves what lies there.
            if self._origins.look([pair]).get(pair, now) is not None:
                return False
            laid = now

    def _put(self, laid: tuple[Pair, bytes]) -> bool | Refused:
        """Lay one item where nothing is; whether nothing was."""
        pair, image = laid
        try:
            self._call("PutItem", b'"Item":%b' % image, nothing_there(pair), item_units(image))
        except ConditionFailed:
            return False
        except Refused as refused:
            return refused
        return True

    def _take_away(self, pair: Pair, laid: bytes) -> None:
        """Delete what lies under a key if it is still what was laid."""
        # Some stores find no list and no map equal to itself.
        for documents in (True, False):
            found = Difference(NO_SEGMENT, pair, Kind.EXTRA, [], None, laid)
            still = condition(found, documents=documents)
            try:
                return self._call("DeleteItem", b'"Key":%b' % pair.key, still, item_units(laid))
            except ConditionFailed:
                if not same(self._held.get([pair.key]).get(pair.key), laid):
                    return None
        return None

    def _call(self, name: str, target: bytes, rest: dict[str, Any], units: float) -> None:
        told = {"TableName": self._calls.table, "ReturnConsumedCapacity": "TOTAL", **rest}
        self._calls.call(name, b"{%b,%b" % (target, orjson.dumps(told)[1:]), units, WINDOW)

    def _refuse(self, change: Change, refused: Refused) -> None:
        self._tally.refused += 1
        self._refusals.refuse(change, refused.answer)
        self._breaker.refused(change, refused.answer)

    def _held_of(self, pairs: Sequence[Pair]) -> dict[Pair, bytes]:
        found = self._held.get(list(dict.fromkeys(pair.key for pair in pairs)))
        return {pair: found[pair.key] for pair in pairs if pair.key in found}

    def _all(self, look: Callable[[Sequence[Pair]], dict[Pair, Any]], pairs: Sequence[Pair]) -> Any:
        """Look at many pairs at once."""
        parts = [pairs[at : at + _KEYS_AT_ONCE] for at in range(0, len(pairs), _KEYS_AT_ONCE)]
        return {pair: one for part in self._pool.map(look, parts) for pair, one in part.items()}


def _chunks(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """What is named in one row each."""
    chunk: list[Change] = []
    size = 0
    for change in changes:
        length = sum(len(key) for key in _pair(change) if key)
        if chunk and size + length > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(change)
        size += length
    if chunk:
        yield chunk


def _pair(change: Change) -> Pair:
    return Pair(change.key, (change.source or change).key)
