"""Stream records to changes: from the adapter's JSON to `kcl_processor.replicate.change.Change`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from kcl_processor.errors import SourceError
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.transform.transform import (
    RESERVED_IN_JSON,
    Image,
    Told,
    without_reserved,
)

_COPY_AGAIN = "turn the stream on again with StreamViewType=NEW_AND_OLD_IMAGES, then copy the table"
_IMAGES = {"new": "NewImage", "old": "OldImage"}
# What does not have the form of a record raises one of these.
_MALFORMED = (KeyError, TypeError, AttributeError, ValueError)


@dataclass(frozen=True, slots=True)
class WholeChange:
    """A change with all that rules may want to know of it.

    Attributes:
        image: the new item; ``None`` if it was deleted.
    """

    change: Change
    image: Image | None
    told: Told


def decode(data: bytes, sequence_number: str) -> Change:
    """Decode one record as the launcher hands it to a MultiLang child.

    Args:
        data: the record as JSON, shaped like a record of GetRecords (``eventName``, ``dynamodb``
            with ``Keys`` and ``NewImage``). The launcher (``RawRecords``) writes
            ``ApproximateCreationDateTime`` as milliseconds, as the Streams adapter does, and leaves
            the old image out unless rules need it.
        sequence_number: the record's place in its shard.

    Raises:
        SourceError: the record cannot be understood. Nothing of it is guessed: the caller must
            stop, or the change would be lost.
    """
    try:
        record = orjson.loads(data)
        image = _new_image(record, sequence_number)
        if image and RESERVED_IN_JSON in data:
            image = without_reserved(image)
        return _change(record["dynamodb"], image, sequence_number)
    except _MALFORMED as error:
        raise _malformed(sequence_number, f"{type(error).__name__}: {error}") from error


def decode_whole(data: bytes, sequence_number: str, *, needs_old: bool) -> WholeChange:
    """Decode one record for rules, otherwise as :func:`decode`.

    Args:
        needs_old: whether the rules need the old image of an item that had one.

    Raises:
        SourceError: the record cannot be understood, or lacks that image.
    """
    try:
        record = orjson.loads(data)
        image = _new_image(record, sequence_number)
        change = _change(record["dynamodb"], image, sequence_number)
        told = Told(
            keys=record["dynamodb"]["Keys"],
            event=record["eventName"],
            sequence_number=sequence_number,
            created=change.created_ms / 1000,
            old=_old_image(record, sequence_number) if needs_old else None,
            expired=_has_expired(record.get("userIdentity")),
        )
    except _MALFORMED as error:
        raise _malformed(sequence_number, f"{type(error).__name__}: {error}") from error
    return WholeChange(change, image, told)


def _change(stream_record: dict[str, Any], image: Image | None, sequence_number: str) -> Change:
    return Change(
        key=canonical_key(stream_record["Keys"]),
        image=None if image is None else orjson.dumps(image),
        sequence_number=sequence_number,
        created_ms=int(stream_record.get("ApproximateCreationDateTime") or 0),
    )


def _new_image(record: dict[str, Any], sequence_number: str) -> Image | None:
    match record["eventName"]:
        case "INSERT" | "MODIFY":
            return _image(record, "new", sequence_number)
        case "REMOVE":
            return None
        case event:
            raise _malformed(sequence_number, f"its event name is {event!r}")


def _old_image(record: dict[str, Any], sequence_number: str) -> Image | None:
    return None if record["eventName"] == "INSERT" else _image(record, "old", sequence_number)


def _image(record: dict[str, Any], age: str, sequence_number: str) -> Image:
    image = record["dynamodb"].get(_IMAGES[age])
    # Of a stream without images the adapter makes records with an empty one.
    if image is None or image == {}:
        view = record["dynamodb"].get("StreamViewType", "unknown")
        raise SourceError(
            f"Record {sequence_number} of the stream carries no {age} image (view type {view}).",
            _COPY_AGAIN,
        )
    if not isinstance(image, dict):
        raise TypeError(f"{_IMAGES[age]} is not a map")
    return image


def _has_expired(identity: dict[str, str] | None) -> bool:
    """Whether time to live deleted the item (developer guide, "DynamoDB Streams and Time to Live").
    The API writes the names with a capital letter, the adapter with a small one."""
    named = {name.lower(): value for name, value in (identity or {}).items()}
    return (named.get("type"), named.get("principalid")) == ("Service", "dynamodb.amazonaws.com")


def _malformed(sequence_number: str, reason: str) -> SourceError:
    return SourceError(
        f"Record {sequence_number} of the stream cannot be understood: {reason}.",
        "look up this sequence number in the stream; nothing after it was acknowledged",
    )
