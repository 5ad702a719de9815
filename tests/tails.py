"""A stream that a test writes to, and readers of its shards."""

from __future__ import annotations

from dataclasses import dataclass, field

from kcl_processor.errors import OperatorError
from kcl_processor.fleet.stream import Stream, StreamShard
from kcl_processor.fleet.tail import Record, ShardTail
from kcl_processor.operate.writer_watch import MakeTail


class FakeTail(ShardTail):
    """A reader of a shard's log."""

    def __init__(self, source: FakeSource, shard: str, after: str | None) -> None:
        super().__init__(None, "arn", shard, after)
        self._source = source

    def read(self) -> list[Record] | None:
        self.at_end = False
        if self.shard in self._source.busy:
            return None
        log = self._source.logs[self.shard]
        new = [one for one in log if int(one.sequence_number) > int(self.after or 0)]
        found = new[: self._source.most]
        if found:
            self.after = found[-1].sequence_number
        self.at_end = found == new
        self.ended = self.at_end and self.shard in self._source.closed
        return found


@dataclass
class FakeSource(Stream):
    """Shards with their changes; some are closed, and some are not read just now.

    Attributes:
        most: changes that one reading of a shard takes at most.
        unlisted: what asking for the shards ends with, if it does not list them.
    """

    logs: dict[str, list[Record]] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    most: int = 1000
    unlisted: OperatorError | None = None

    def shards(self, _after: str | None = None) -> list[StreamShard]:
        if self.unlisted:
            raise self.unlisted
        return [
            StreamShard(name, self.parents.get(name), name not in self.closed)
            for name in sorted(self.logs)
        ]

    def write(self, shard: str, number: int, *, expired: bool = False) -> None:
        """A change comes."""
        self.logs.setdefault(shard, []).append(Record(str(number), 1000.0 + number, expired))

    def roll_over(self, parent: str, child: str) -> None:
        """A shard is closed, and another takes its place."""
        self.closed.add(parent)
        self.logs[child] = []
        self.parents[child] = parent

    @property
    def tails(self) -> MakeTail:
        return lambda shard, after: FakeTail(self, shard, after)
