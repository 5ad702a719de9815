"""The simulated source: a table, every change ever made to it, and its streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from integration.simulator.items import Key, Template, key_of, number_of
from integration.simulator.shards import Change, EventName
from integration.simulator.stream import Stream

_VIEWS = {
    "NEW_AND_OLD_IMAGES": (True, True),
    "NEW_IMAGE": (True, False),
    "OLD_IMAGE": (False, True),
    "KEYS_ONLY": (False, False),
}
_RECORD = (
    b'{"awsRegion":"%b","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%b%b,'
    b'"SequenceNumber":"%d","SizeBytes":%d,"StreamViewType":"%b"},"eventID":"%032x",'
    b'"eventName":"%b","eventSource":"aws:dynamodb","eventVersion":"1.1"%b}'
)
# Of a deletion that time to live made, in the spelling of the API.
_BY_TIME_TO_LIVE = b',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}'


class Source(Mapping[Key, bytes]):
    """The table as a mapping of key to item (as it is now), and where its changes are made.

    `history` holds each item's changes, so that the change of version v is `history[number][v-1]`;
    `deletions` holds the version that deleted an item.
    """

    def __init__(
        self, table: str, region: str, lineages: int, item_size: int = 1024, age: float = 0.0
    ) -> None:
        self.table = table
        self.template = Template(item_size)
        self.view_type = "NEW_AND_OLD_IMAGES"
        self.stream = Stream(table, region, lineages, age=age)
        self.streams = {self.stream.arn: self.stream}
        self.history: dict[int, list[Change]] = {}
        self.deletions: dict[int, int] = {}
        self.changes = 0
        # A change that was made while the stream was off has no shard.
        self._lineages: dict[str, tuple[int, str | None]] = {"": (0, None)}

    def change(
        self,
        number: int,
        *,
        delete: bool = False,
        expire: bool = False,
        raw: bytes | None = None,
    ) -> Change:
        """Put the next version of item `number`, or delete it; return the stream's change.

        An item is deleted once at most, though it may come back: a deletion carries no version on
        the wire, and so the judge can still tell which one it sees. Any other deletion becomes a
        put, as does one of an item that is not there. `expire` deletes, too, as time to live does.
        """
        history = self.history.setdefault(number, [])
        live = bool(history) and history[-1].event != "REMOVE"
        delete = (delete or expire) and live and number not in self.deletions
        event: EventName = "REMOVE" if delete else "MODIFY" if live else "INSERT"
        if delete:
            self.deletions[number] = len(history) + 1
        change = self.stream.append(number, len(history) + 1, event, raw, expired=expire and delete)
        history.append(change)
        if change.shard not in self._lineages:
            shard = self.stream.shards[change.shard]
            self._lineages[shard.id] = (shard.lineage, shard.parent)
        self.changes += 1
        return change

    def turn_off(self) -> None:
        """Switch the stream off: it can be read to its end; later changes are in no stream."""
        self.stream.disable()

    def recreate(self, *, keep_old: bool) -> str:
        """Switch the stream off and on: return the new ARN.

        The old one stays readable, as DynamoDB keeps it for a day, or is gone at once.
        """
        old = self.stream
        self.turn_off()
        if not keep_old:
            del self.streams[old.arn]
        first = old.next_sequence() % 10**20
        self.stream = Stream(self.table, old.region, old.lineages, first)
        self.streams[self.stream.arn] = self.stream
        return self.stream.arn

    def in_stream(self, change: Change) -> bool:
        """Return whether the change can still be read."""
        shard = self.stream.shards.get(change.shard)
        return shard is not None and change.sequence > shard.trimmed_through

    def lineage_of(self, change: Change) -> int:
        """Return the lineage of the shard that the change was streamed in."""
        return self._lineages[change.shard][0]

    def parent_of(self, shard: str) -> str | None:
        """Return the parent of a shard that ever took a change, expired ones included."""
        return self._lineages[shard][1]

    def record(self, change: Change, region: str) -> bytes:
        """Return `change` as a stream record in the wire's form."""
        if change.raw is not None:
            return change.raw
        new, old = _VIEWS[self.view_type]
        images, size = b"", self.template.key_size
        if new and change.event != "REMOVE":
            images += b',"NewImage":' + self.template.image(change.number, change.version)
            size += self.template.image_size
        if old and change.event != "INSERT":
            images += b',"OldImage":' + self.template.image(change.number, change.version - 1)
            size += self.template.image_size
        return _RECORD % (
            region.encode(),
            change.created,
            self.template.keys(change.number),
            images,
            change.sequence,
            size,
            self.view_type.encode(),
            change.sequence,
            change.event.encode(),
            _BY_TIME_TO_LIVE if change.expired else b"",
        )

    def record_size(self, change: Change) -> int:
        """Return the bytes of item data in the record, which GetRecords' 1 MB counts."""
        images = 1 if change.event in ("INSERT", "REMOVE") else 2
        return self.template.key_size + images * self.template.image_size

    def __getitem__(self, key: Key) -> bytes:
        number = number_of(key)
        history = self.history.get(number) if number is not None else None
        if not history or history[-1].event == "REMOVE":
            raise KeyError(key)
        return self.template.image(history[-1].number, history[-1].version)

    def __iter__(self) -> Iterator[Key]:
        return (
            key_of(number) for number, past in self.history.items() if past[-1].event != "REMOVE"
        )

    def __len__(self) -> int:
        return sum(past[-1].event != "REMOVE" for past in self.history.values())
