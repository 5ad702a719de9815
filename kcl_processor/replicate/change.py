"""A change: one edit of one item, as the stream tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """The state that one stream record leaves an item in.

    Images stay in DynamoDB's own JSON (``{"pk": {"S": "a"}}``, numbers as strings, binaries in
    base64), as bytes: what was never converted cannot be converted wrongly.

    Attributes:
        key: the item's key as DynamoDB JSON, attribute names sorted, so that equal keys are
            equal bytes.
        image: the whole new item as DynamoDB JSON; ``None`` when the item was removed.
        sequence_number: the record's place in its shard; up to 40 decimal digits, so compare
            sequence numbers as integers, never as text.
        created_ms: when the source applied the change, milliseconds since the epoch, as coarse as
            the stream's ``ApproximateCreationDateTime`` (a second).
    """

    key: bytes
    image: bytes | None
    sequence_number: str
    created_ms: int
