"""The four operations of the DynamoDB Streams API over simulated streams."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson

from integration.simulator import iterators
from integration.simulator.faults import CallCounts
from integration.simulator.items import KEY_SCHEMA
from integration.simulator.shards import Shard
from integration.simulator.source import Source
from integration.simulator.stream import Stream
from integration.simulator.wire import ServiceError, only, required

MAX_RECORDS = 1000
MAX_BYTES = 1 << 20


class StreamsApi:
    """Answers `DynamoDBStreams_20120810` operations; each takes the body and returns the answer.

    `iterator_seconds` is the life of a shard iterator, `page` the most shards in an answer.
    """

    def __init__(self, source: Source, counts: CallCounts) -> None:
        self.source = source
        self.counts = counts
        self.iterator_seconds = 900.0
        self.page = 100
        self.operations: dict[str, Callable[[dict[str, Any]], bytes]] = {
            "DescribeStream": self.describe_stream,
            "GetShardIterator": self.get_shard_iterator,
            "GetRecords": self.get_records,
            "ListStreams": self.list_streams,
        }

    def _stream(self, arn: str) -> Stream:
        if arn not in self.source.streams:
            raise ServiceError(
                "ResourceNotFoundException",
                f"Requested resource not found: Stream: {arn} not found",
            )
        return self.source.streams[arn]

    def _shard(self, stream: Stream, shard_id: str) -> Shard:
        if shard_id not in stream.shards:
            raise ServiceError(
                "ResourceNotFoundException",
                f"Requested resource not found: Shard: {shard_id} in Stream: {stream.arn}",
            )
        return stream.shards[shard_id]

    def list_streams(self, body: dict[str, Any]) -> bytes:
        """ListStreams: of the simulated table, oldest first, paged by Limit."""
        only(body, "TableName", "Limit", "ExclusiveStartStreamArn")
        after = body.get("ExclusiveStartStreamArn", "")
        wanted = body.get("TableName", self.source.table) == self.source.table
        streams = [s for s in self.source.streams.values() if wanted and s.arn > after]
        limit = min(int(body.get("Limit", 100)), 100)
        answer: dict[str, Any] = {
            "Streams": [
                {"StreamArn": s.arn, "StreamLabel": s.label, "TableName": s.table}
                for s in streams[:limit]
            ]
        }
        if len(streams) > limit:
            answer["LastEvaluatedStreamArn"] = streams[limit - 1].arn
        return orjson.dumps(answer)

    def describe_stream(self, body: dict[str, Any]) -> bytes:
        """DescribeStream: shards in the order of their ids, paged, or one shard's children."""
        only(body, "StreamArn", "Limit", "ExclusiveStartShardId", "ShardFilter")
        self.counts.count_rate("DescribeStream")
        stream = self._stream(required(body, "StreamArn"))
        shards = _selected(stream, body)
        limit = min(int(body.get("Limit", 100)), self.page)
        description: dict[str, Any] = {
            "CreationRequestDateTime": round(stream.created, 3),
            "KeySchema": KEY_SCHEMA,
            "Shards": [_described(shard) for shard in shards[:limit]],
            "StreamArn": stream.arn,
            "StreamLabel": stream.label,
            "StreamStatus": stream.status,
            "StreamViewType": self.source.view_type,
            "TableName": stream.table,
        }
        if len(shards) > limit:
            description["LastEvaluatedShardId"] = shards[limit - 1].id
        return orjson.dumps({"StreamDescription": description})

    def get_shard_iterator(self, body: dict[str, Any]) -> bytes:
        """GetShardIterator: four of the five types (AT_TIMESTAMP is not simulated)."""
        only(body, "StreamArn", "ShardId", "ShardIteratorType", "SequenceNumber")
        stream = self._stream(required(body, "StreamArn"))
        shard = self._shard(stream, required(body, "ShardId"))
        position = iterators.position(shard, body)
        return orjson.dumps({"ShardIterator": iterators.iterator(stream, shard, position)})

    def get_records(self, body: dict[str, Any]) -> bytes:
        """GetRecords: up to Limit records or 1 MB of item data, and the next iterator."""
        only(body, "ShardIterator", "Limit")
        stream, shard, position = self._where(required(body, "ShardIterator"))
        limit = int(body.get("Limit", MAX_RECORDS))
        if not 1 <= limit <= MAX_RECORDS:
            raise ServiceError("LimitExceededException", "Limit must be from 1 to 1000")
        records: list[bytes] = []
        room = MAX_BYTES
        first = position - shard.trimmed
        for change in shard.changes[first : first + limit]:
            room -= self.source.record_size(change)
            if room < 0 and records:
                break
            records.append(self.source.record(change, stream.region))
        self.counts.total["records"] = self.counts.total.get("records", 0) + len(records)
        return self._page(stream, shard, position + len(records), records)

    def stay(self, body: dict[str, Any]) -> bytes:
        """GetRecords that finds nothing yet: no records, and an iterator to the same place."""
        stream, shard, position = self._where(required(body, "ShardIterator"))
        return b'{"NextShardIterator":"%b","Records":[]}' % (
            iterators.iterator(stream, shard, position).encode()
        )

    def _page(self, stream: Stream, shard: Shard, position: int, records: list[bytes]) -> bytes:
        if shard.end is not None and position >= shard.tip:
            return b'{"Records":[%b]}' % b",".join(records)
        following = iterators.iterator(stream, shard, position).encode()
        return b'{"NextShardIterator":"%b","Records":[%b]}' % (following, b",".join(records))

    def _where(self, iterator: str) -> tuple[Stream, Shard, int]:
        arn, shard_id, position, issued = iterators.parse(iterator)
        self.counts.count_rate(f"GetRecords {shard_id}")
        if time.time() - issued > self.iterator_seconds:
            raise ServiceError("ExpiredIteratorException")
        stream = self._stream(arn)
        shard = self._shard(stream, shard_id)
        if position < shard.trimmed:
            raise ServiceError("TrimmedDataAccessException")
        return stream, shard, position


def _selected(stream: Stream, body: dict[str, Any]) -> list[Shard]:
    shards = sorted(stream.shards.values(), key=lambda shard: shard.id)
    wanted = body.get("ShardFilter")
    if wanted is not None:
        if wanted.get("Type") != "CHILD_SHARDS" or not wanted.get("ShardId"):
            raise ServiceError("ValidationException", "ShardFilter needs CHILD_SHARDS and ShardId")
        shards = [shard for shard in shards if shard.parent == wanted["ShardId"]]
    after = body.get("ExclusiveStartShardId") or ""
    return [shard for shard in shards if shard.id > after]


def _described(shard: Shard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": str(shard.start)}
    if shard.end is not None:
        numbers["EndingSequenceNumber"] = str(shard.end)
    described: dict[str, Any] = {"SequenceNumberRange": numbers, "ShardId": shard.id}
    if shard.parent:
        described["ParentShardId"] = shard.parent
    return described
