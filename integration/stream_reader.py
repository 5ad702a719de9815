"""The reading of a simulated stream with a boto3 client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integration.clients import Client


def shards(streams: Client, arn: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return every shard of the stream, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = streams.describe_stream(StreamArn=arn, **parameters)["StreamDescription"]
        found += page["Shards"]
        if "LastEvaluatedShardId" not in page:
            return found
        parameters["ExclusiveStartShardId"] = page["LastEvaluatedShardId"]


def iterator(
    streams: Client, arn: str, shard: str, kind: str = "TRIM_HORIZON", at: str = ""
) -> str:
    """Return a shard iterator; `at` is the sequence number of the kinds that need one."""
    where = {"SequenceNumber": at} if at else {}
    answer = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **where
    )
    return str(answer["ShardIterator"])


def records(
    streams: Client, start: str | None, pages: int = 100, limit: int = 1000
) -> Iterator[dict[str, Any]]:
    """Yield records from iterator `start` on, until a page is empty or the shard ends."""
    for _ in range(pages):
        if start is None:
            return
        answer = streams.get_records(ShardIterator=start, Limit=limit)
        yield from answer["Records"]
        if not answer["Records"]:
            return
        start = answer.get("NextShardIterator")
