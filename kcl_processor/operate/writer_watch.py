"""Whether anybody still writes at a source, and whether the daemon has applied all of it.

Both are told by readers of our own, one a shard, beside the daemon's: what they find is counted,
and where each shard ends is known from them and not from a checkpoint, which does not move while a
shard is idle. What time to live deletes is no writer's: nobody can stop it, it is counted apart.

A change shows in the stream some time after it was made, and AWS gives no bound for that (developer
guide, "Change data capture for DynamoDB Streams": near real time). So :data:`QUIET` is chosen, and
not known: for so many seconds every open shard was read again and again, and was empty, and the
daemon had read no further. What comes later still is no loss: whoever proves equality reads the
tables themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.errors import GapError, OperatorError, PermissionDenied
from kcl_processor.fleet.leases import Lease
from kcl_processor.fleet.stream import Stream, StreamShard
from kcl_processor.fleet.tail import Record, ShardTail
from kcl_processor.operate.lineage import cleaned_up, descendants, parents_of

# Seconds, and readings of every shard in a row, that find nothing before a stream is quiet.
QUIET = 15.0
EMPTY_READINGS = 5
# Seconds for which a list of shards is good enough; some of them lie in a quiet time.
LISTED = 4.0

# Makes the reader of a shard, behind a sequence number or from its oldest change.
MakeTail = Callable[[str, str | None], ShardTail]


@dataclass(frozen=True)
class ShardEnd:
    """How far a shard was read.

    Attributes:
        last: the last sequence number; where nothing came, the one at which reading began, and
            ``None`` for an empty shard.
        closed: it takes no more changes.
    """

    shard: str
    last: str | None
    closed: bool


@dataclass
class _Seen:
    """A shard that is read: how many changes there were.

    Attributes:
        began: the checkpoint behind which reading began, if that was a change's.
        awaited: the last change that the checkpoint is to reach, if there is one.
    """

    tail: ShardTail
    began: str | None = None
    awaited: str | None = None
    written: int = 0
    expired: int = 0
    newest: float = 0.0

    def take(self, records: Iterable[Record]) -> bool:
        """Count what was read; whether a writer made some of it."""
        before = self.written
        for one in records:
            if one.expired:
                self.expired += 1
                continue
            self.written += 1
            self.awaited = one.sequence_number
            self.newest = max(self.newest, one.created)
        return self.written > before


class WriterWatch:
    """Reads a stream on, shard by shard, from where it began.

    Args:
        stream: keeps a list of shards for :data:`LISTED` seconds.
    """

    def __init__(self, stream: Stream, make_tail: MakeTail, clock: Clock) -> None:
        self._stream = stream
        self._make_tail = make_tail
        self._clock = clock
        self._shards: list[StreamShard] = []
        self._seen: dict[str, _Seen] = {}
        # Shards that were read to their end before.
        self._passed: set[str] = set()
        self._closed_without_children: list[str] = []
        self._empty = 0
        self._cut_off = False
        self._quiet_since = clock.elapsed()

    def begin(self, leases: Iterable[Lease]) -> None:
        """Begin behind each checkpoint; a shard that was never read begins at its oldest change.

        Raises:
            SourceError, PermissionDenied: the shards cannot be listed.
        """
        leases = list(leases)
        by_shard = {lease.shard: lease for lease in leases}
        self._shards = shards = self._stream.shards()
        gone = cleaned_up(leases, shards)
        for shard in shards:
            lease = by_shard.get(shard.id)
            if lease.ended if lease else shard.id in gone:
                self._passed.add(shard.id)
            else:
                at = lease.checkpoint if lease and lease.checkpoint.isdigit() else None
                self._read_from(shard.id, at)

    def begin_behind(self, ends: Iterable[ShardEnd]) -> None:
        """Begin where an earlier watch ended.

        Raises:
            GapError: a shard is gone, and with it what came after it.
            SourceError, PermissionDenied: the shards cannot be listed.
        """
        ended = {end.shard: end for end in ends}
        self._shards = shards = self._stream.shards()
        for gone in ended.keys() - {shard.id for shard in shards}:
            raise GapError(
                f"Shard {gone} has left the stream, and what came behind it is not known.",
                "kcl-processor verify compares the tables themselves",
            )
        later = descendants(ended, parents_of((), shards)) - ended.keys()
        for shard in shards:
            if shard.id in ended and not ended[shard.id].closed:
                self._read_from(shard.id, ended[shard.id].last)
            elif shard.id not in later:
                self._passed.add(shard.id)

    def look(self) -> None:
        """Read every shard once. Where they cannot be listed just now, those that are known.

        Raises:
            GapError: changes left the stream unread.
            SourceError, PermissionDenied: the stream cannot be read.
        """
        began = self._clock.elapsed()
        quiet = self._list()
        shards = self._shards
        for shard in shards:
            if shard.id not in self._passed and shard.id not in self._seen:
                self._read_from(shard.id, None)
        open_ones = [one for one in self._seen.values() if not one.tail.ended]
        with ThreadPoolExecutor(clients.CONNECTIONS) as pool:
            found = list(pool.map(lambda one: one.tail.read(), open_ones))
        for one, records in zip(open_ones, found, strict=True):
            # One that was put off tells nothing.
            quiet &= records is not None and not one.take(records)
        # Nor does one that was cut off, before another has read what lay behind it.
        self._cut_off = not all(one.tail.at_end for one in open_ones)
        parents = {shard.parent for shard in shards}
        ended = {name for name, one in self._seen.items() if one.tail.ended}
        closed = ended | {shard.id for shard in shards if not shard.open}
        self._closed_without_children = sorted(closed - parents)
        if not quiet or self._closed_without_children:
            self.disturb()
        elif not self._cut_off:
            self._quiet_since = self._quiet_since if self._empty else began
            self._empty += 1

    def disturb(self) -> None:
        """Let the quiet begin anew."""
        self._empty = 0

    def await_all(self) -> None:
        """From now on the daemon is behind that has not checkpointed all that was read up to now,
        what time to live deleted, too: before that the daemon may delete it once more."""
        for one in self._seen.values():
            one.awaited = one.tail.after if one.expired else one.awaited

    @property
    def quiet(self) -> bool:
        """Whether nothing came for long enough."""
        lasted = self._clock.elapsed() - self._quiet_since
        return self.is_read and lasted >= QUIET

    @property
    def is_read(self) -> bool:
        """Whether every shard was empty :data:`EMPTY_READINGS` times in a row, and is now."""
        return self._empty >= EMPTY_READINGS and not self._cut_off

    @property
    def written(self) -> int:
        """Changes that writers made, since the begin."""
        return sum(one.written for one in self._seen.values())

    @property
    def expired(self) -> int:
        """What time to live deleted, since the begin."""
        return sum(one.expired for one in self._seen.values())

    def last_written(self) -> tuple[str, float] | None:
        """The shard with the youngest change of a writer, and when the source made it."""
        found = [(one.newest, name) for name, one in self._seen.items() if one.written]
        return (max(found)[1], max(found)[0]) if found else None

    def orphans(self) -> list[str]:
        """Closed shards of which no child is listed, so that what follows them is not known."""
        return self._closed_without_children

    def behind(self, leases: Iterable[Lease]) -> list[str]:
        """What the daemon has not applied yet, in words; nothing if it is through.

        Every change of a writer is to be applied, and of time to live what :meth:`await_all` says.

        An idle shard's checkpoint may stand anywhere: nothing lies behind it, which was read. But
        not ahead of what was read here: there is something, behind pages that were empty. Nor
        before where it stood: somebody has set it back, and what was applied is applied again.
        """
        leases = list(leases)
        by_shard = {lease.shard: lease for lease in leases}
        return list(self._behind(by_shard, cleaned_up(leases, self._shards)))

    def ends(self) -> list[ShardEnd]:
        """How far each shard was read, in the order of their ids."""
        return [
            ShardEnd(name, one.tail.after, one.tail.ended)
            for name, one in sorted(self._seen.items())
        ]

    def _behind(self, by_shard: Mapping[str, Lease], gone: set[str]) -> Iterator[str]:
        for name in sorted(self._passed & by_shard.keys()):
            if not by_shard[name].ended:
                yield f"shard {name} is at {by_shard[name].checkpoint}, and was read to its end"
        for name, one in sorted(self._seen.items()):
            lease = by_shard.get(name)
            if lease.ended if lease else name in gone:
                continue
            at = lease.checkpoint if lease else "no lease"
            if one.began and not _has_reached(lease, one.began):
                yield f"shard {name} is at {at}, and was at {one.began}"
            elif lease and _has_passed(lease, one.tail.after):
                read = f"was read to {one.tail.after} here"
                yield f"shard {name} is at {at}, and {read}"
            elif one.tail.ended:
                yield f"shard {name} is closed, and not read to its end"
            elif one.awaited and not _has_reached(lease, one.awaited):
                yield f"shard {name} is at {at}, and its last change is {one.awaited}"

    def _list(self) -> bool:
        """Whether the shards are known as they are now."""
        try:
            self._shards = self._stream.shards()
        except PermissionDenied:
            raise
        except OperatorError:
            # As a reading that is put off; whoever watches for hours must get over it.
            return False
        return True

    def _read_from(self, shard: str, after: str | None) -> None:
        self._seen[shard] = _Seen(self._make_tail(shard, after), after)


def _has_passed(lease: Lease, after: str | None) -> bool:
    """Whether a checkpoint is behind the last change that was read."""
    return lease.checkpoint.isdigit() and int(lease.checkpoint) > int(after or 0)


def _has_reached(lease: Lease | None, sequence_number: str) -> bool:
    """Whether a checkpoint is at a change or behind it; the numbers are of 21 to 40 digits."""
    at = lease.checkpoint if lease else ""
    return at.isdigit() and int(at) >= int(sequence_number)
