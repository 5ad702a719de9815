"""Shard iterators: where they point, and what they look like."""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

import orjson

from integration.simulator.shards import Shard
from integration.simulator.stream import Stream
from integration.simulator.wire import ServiceError, required


def position(shard: Shard, body: dict[str, Any]) -> int:
    """Return the position that a GetShardIterator request names. Raises ServiceError."""
    kind = required(body, "ShardIteratorType")
    if kind == "TRIM_HORIZON":
        return shard.trimmed
    if kind == "LATEST":
        return shard.tip
    if kind not in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        raise ServiceError("ValidationException", f"ShardIteratorType {kind} is not simulated")
    sequence = int(required(body, "SequenceNumber"))
    if sequence < shard.start or (shard.end is not None and sequence > shard.end):
        raise ServiceError("ValidationException", "Invalid SequenceNumber for this shard")
    if sequence <= shard.trimmed_through:
        raise ServiceError("TrimmedDataAccessException")
    return shard.position_of(sequence + (kind == "AFTER_SEQUENCE_NUMBER"))


def iterator(stream: Stream, shard: Shard, at: int) -> str:
    """Return an iterator to position `at`, issued now; it has the real one's outer form."""
    secret = orjson.dumps([shard.id, at, time.time()])
    return f"{stream.arn}|1|{base64.b64encode(secret).decode()}"


def parse(text: str) -> tuple[str, str, int, float]:
    """Return stream ARN, shard id, position and time of issue. Raises ServiceError."""
    try:
        arn, _, secret = text.split("|")
        shard_id, at, issued = orjson.loads(base64.b64decode(secret))
    except (ValueError, binascii.Error) as error:
        raise ServiceError("ValidationException", "Invalid ShardIterator") from error
    return arn, shard_id, at, issued
