"""A stream: lineages of shards, rollover, split, trimming."""

from __future__ import annotations

import itertools
import time
import zlib
from datetime import UTC, datetime, timedelta

from integration.simulator.items import key_of
from integration.simulator.shards import HASH_SPACE, Change, EventName, Shard

ACCOUNT = "000000000000"
_FIRST_SEQUENCE = 4421584500000000000000000000


class Stream:
    """The shards of one stream of `table`, `lineages` chains of them side by side.

    Shard ids have the form that the adapter reads a shard's creation time from:
    `shardId-<epoch milliseconds, 20 digits>-<8 hexadecimal digits>`. With an `age` (seconds) they
    and the stream are that much older; changes bear the real time.
    """

    def __init__(
        self, table: str, region: str, lineages: int, first: int = 0, age: float = 0.0
    ) -> None:
        now = datetime.now(UTC) - timedelta(seconds=age)
        self.label = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}"
        self.arn = f"arn:aws:dynamodb:{region}:{ACCOUNT}:table/{table}/stream/{self.label}"
        self.table = table
        self.region = region
        self.status = "ENABLED"
        self.created = now.timestamp()
        self.lineages = lineages
        self.shards: dict[str, Shard] = {}
        self.open: list[Shard] = []
        self._sequences = itertools.count(_FIRST_SEQUENCE + first)
        self._last_id = 0
        self._age = age
        width = HASH_SPACE // lineages
        for lineage in range(lineages):
            high = HASH_SPACE if lineage == lineages - 1 else (lineage + 1) * width
            self._open_shard(None, lineage, lineage * width, high)

    def _open_shard(self, parent: str | None, lineage: int, low: int, high: int) -> Shard:
        self._last_id = max(self._last_id + 1, int((time.time() - self._age) * 1000))
        shard_id = f"shardId-{self._last_id:020d}-{zlib.crc32(str(self._last_id).encode()):08x}"
        shard = Shard(shard_id, parent, lineage, low, high, next(self._sequences))
        self.shards[shard.id] = shard
        self.open.append(shard)
        return shard

    def shard_for(self, number: int) -> Shard:
        """Return the open shard that takes the changes of item `number`."""
        point = zlib.crc32(key_of(number)[0].encode())
        return next(shard for shard in self.open if shard.low <= point < shard.high)

    def append(
        self,
        number: int,
        version: int,
        event: EventName,
        raw: bytes | None = None,
        *,
        expired: bool = False,
    ) -> Change:
        """Add a change to the open shard of its item, if the stream is on, and return it."""
        shard = None if self.status == "DISABLED" else self.shard_for(number)
        place = shard.id if shard else ""
        sequence, now = next(self._sequences), time.time()
        change = Change(sequence, number, version, event, now, place, raw, expired)
        if shard:
            shard.changes.append(change)
        return change

    def next_sequence(self) -> int:
        """Return a sequence number above every one before it."""
        return next(self._sequences)

    def divide(self, shard: Shard, children: int) -> list[Shard]:
        """Close `shard` and open its children: one is a rollover, two are a split, 0 ends it."""
        shard.close(next(self._sequences), time.time())
        self.open.remove(shard)
        step = (shard.high - shard.low) // max(1, children)
        return [
            self._open_shard(
                shard.id,
                shard.lineage,
                shard.low + child * step,
                shard.high if child == children - 1 else shard.low + (child + 1) * step,
            )
            for child in range(children)
        ]

    def divide_lineage(self, lineage: int | None, children: int) -> list[str]:
        """Divide every open shard of `lineage`, or of all; return the ids of the new shards."""
        parents = [shard for shard in self.open if lineage in (None, shard.lineage)]
        return [child.id for parent in parents for child in self.divide(parent, children)]

    def trim(self, before: float, *, expire: bool) -> list[Change]:
        """Forget changes created before `before`, with `expire` also the closed empty shards.

        Returns the changes.
        """
        forgotten = []
        for shard in list(self.shards.values()):
            forgotten += shard.trim(before)
            if expire and shard.expired(before):
                del self.shards[shard.id]
        return forgotten

    def disable(self) -> None:
        """End the stream as switching it off does: shards close, what is in them stays."""
        for shard in list(self.open):
            self.divide(shard, 0)
        self.status = "DISABLED"
