"""boto3 clients for a simulator, and the reading of a simulated stream with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.exceptions import HTTPClientError

# What boto3 raises for a connection that is refused, and for one that breaks.
BROKEN = (BotoConnectionError, HTTPClientError)


def client(service: str, url: str, attempts: int = 1) -> Any:
    """Return a boto3 client that makes `attempts` attempts a call."""
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )


def shards(streams: Any, arn: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return every shard of the stream, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = streams.describe_stream(StreamArn=arn, **parameters)["StreamDescription"]
        found += page["Shards"]
        if "LastEvaluatedShardId" not in page:
            return found
        parameters["ExclusiveStartShardId"] = page["LastEvaluatedShardId"]


def iterator(streams: Any, arn: str, shard: str, kind: str = "TRIM_HORIZON", at: str = "") -> str:
    """Return a shard iterator; `at` is the sequence number of the kinds that need one."""
    where = {"SequenceNumber": at} if at else {}
    answer = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **where
    )
    return str(answer["ShardIterator"])


def records(streams: Any, start: str | None, pages: int = 100, limit: int = 1000) -> Iterator[Any]:
    """Yield records from iterator `start` on, until a page is empty or the shard ends."""
    for _ in range(pages):
        if start is None:
            return
        answer = streams.get_records(ShardIterator=start, Limit=limit)
        yield from answer["Records"]
        if not answer["Records"]:
            return
        start = answer.get("NextShardIterator")
