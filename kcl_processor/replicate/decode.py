"""Stream records to changes: from the adapter's JSON to `kcl_processor.replicate.change.Change`."""

from __future__ import annotations

from typing import Any

import orjson

from kcl_processor.errors import SourceError
from kcl_processor.replicate.change import Change, canonical_key


def decode(data: bytes, sequence_number: str) -> Change:
    """Decode one record as the launcher hands it to a MultiLang child.

    Args:
        data: the record as JSON, shaped like a record of GetRecords (``eventName``, ``dynamodb``
            with ``Keys`` and ``NewImage``). The launcher (``RawRecords``) leaves the old image out
            and writes ``ApproximateCreationDateTime`` as milliseconds, as the Streams adapter does.
        sequence_number: the record's place in its shard.

    Raises:
        SourceError: the record cannot be understood. Nothing of it is guessed: the caller must
            stop, or the change would be lost.
    """
    try:
        record = orjson.loads(data)
        return _change(record["eventName"], record["dynamodb"], sequence_number)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _malformed(sequence_number, f"{type(error).__name__}: {error}") from error


def _change(event: str, stream_record: dict[str, Any], sequence_number: str) -> Change:
    match event:
        case "INSERT" | "MODIFY":
            image: bytes | None = _image(stream_record, sequence_number)
        case "REMOVE":
            image = None
        case _:
            raise _malformed(sequence_number, f"its event name is {event!r}")
    return Change(
        key=canonical_key(stream_record["Keys"]),
        image=image,
        sequence_number=sequence_number,
        created_ms=int(stream_record.get("ApproximateCreationDateTime") or 0),
    )


def _image(stream_record: dict[str, Any], sequence_number: str) -> bytes:
    image = stream_record.get("NewImage")
    # Of a stream without images the adapter makes records with an empty one.
    if image is None or image == {}:
        view = stream_record.get("StreamViewType", "unknown")
        raise SourceError(
            f"Record {sequence_number} of the stream carries no new image (view type {view}).",
            "turn the stream on again with StreamViewType=NEW_AND_OLD_IMAGES, then copy the table",
        )
    if not isinstance(image, dict):
        raise TypeError("NewImage is not a map")
    return orjson.dumps(image)


def _malformed(sequence_number: str, reason: str) -> SourceError:
    return SourceError(
        f"Record {sequence_number} of the stream cannot be understood: {reason}.",
        "look up this sequence number in the stream; nothing after it was acknowledged",
    )
