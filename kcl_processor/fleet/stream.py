"""The source's stream as its own API shows it: shards, and what lies unread behind a checkpoint.

Each look costs a shard one or two GetRecords calls. A shard has room for two readers (DynamoDB
Streams developer guide), and the daemon is one, so there is one look a shard and no more.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from kcl_processor.aws import clients
from kcl_processor.aws.codes import code_of
from kcl_processor.clock import Clock
from kcl_processor.errors import SourceError
from kcl_processor.fleet.leases import LATEST, TRIM_HORIZON, Lease

HOUR = 3600.0
# DynamoDB keeps a change in its stream for this long, in seconds (developer guide, "Change data
# capture for DynamoDB Streams").
RETENTION = 24 * HOUR
# What to look at where a call to the stream fails.
STREAM_HINT = "check source.streams_endpoint, and that the stream was not turned off just now"
# DescribeStream takes ten calls a second, of which the daemon needs some, and a page has a hundred
# shards (DynamoDB API reference). A list of a few pages is not held up, a longer one is.
_UNHURRIED_PAGES = 5
_DESCRIBE_INTERVAL = 0.2
# As many shards come in pages that are not held up.
SHORT_LIST = 100 * _UNHURRIED_PAGES
# Pages without a record, in a row, that whoever reads an open shard follows. It may take several
# calls to come to records (API reference, GetRecords), and how many is said nowhere; how far a
# shard was read, a page with records alone tells.
EMPTY_PAGES = 3
# What the service says of a place that is not in a shard, or no longer (API reference,
# GetShardIterator); a number of too few or too many digits is refused as invalid.
_NO_SUCH_PLACE = (
    "ValidationException",
    "TrimmedDataAccessException",
    "ResourceNotFoundException",
)


@dataclass(frozen=True)
class StreamShard:
    """A shard as DescribeStream lists it; an open one still takes changes."""

    id: str
    parent: str | None
    open: bool


@dataclass(frozen=True)
class Look:
    """What a look behind a checkpoint found. Moments are seconds since the epoch.

    Attributes:
        applied_at: when the source made the change at the checkpoint, if it is still there.
        unread_at: when the source made the oldest change that is not checkpointed, if any.
        trimmed: the stream no longer holds all that came after the checkpoint, or from the shard's
            begin on: changes are lost.
    """

    applied_at: float | None = None
    unread_at: float | None = None
    trimmed: bool = False


class Stream:
    """A stream, read gently.

    Args:
        client: a DynamoDB Streams client.
        wait: waits for some seconds.
        keep: seconds for which a list of shards is good enough.
    """

    def __init__(
        self,
        client: Any,
        arn: str,
        clock: Clock,
        wait: Callable[[float], None],
        keep: float = 30.0,
    ) -> None:
        self.arn = arn
        self._client = client
        self._clock = clock
        self._wait = wait
        self._keep = keep
        self._listed: list[StreamShard] = []
        self._listed_after: str | None = None
        self._listed_at: float | None = None

    def shards(self, after: str | None = None) -> list[StreamShard]:
        """Every shard that the stream still holds, or those of them that come after one.

        The service lists shards in the order of their ids, which begin with their creation. That
        is not in its API reference; AWS's own adapter stands on it (``ShardGraph`` of version
        1.4 goes on from the earliest shard that it needs the children of).

        Args:
            after: a shard that the stream holds.

        Raises:
            SourceError: the stream cannot be described.
            PermissionDenied: the call is denied.
        """
        now = self._clock.elapsed()
        known = self._listed_at is not None and now - self._listed_at < self._keep
        if not known or after != self._listed_after:
            self._listed = self._list(after)
            self._listed_after, self._listed_at = after, now
        return self._listed

    def holds(self, shard: str, sequence_number: str) -> bool:
        """Whether a shard holds a record of that sequence number.

        Raises:
            SourceError, PermissionDenied: it cannot be asked.
        """
        with self._calling("GetRecords", f"shard {shard}"):
            try:
                records = self._records(shard, sequence_number)
            except ParamValidationError:
                return False
            except ClientError as error:
                if code_of(error.response) in _NO_SUCH_PLACE:
                    return False
                raise
        return any(one["dynamodb"]["SequenceNumber"] == sequence_number for one in records)

    def look_behind(self, leases: Iterable[Lease]) -> dict[str, Look]:
        """Shard id to what lies behind its checkpoint.

        Raises:
            SourceError: a shard cannot be read.
            PermissionDenied: a call is denied.
        """
        with ThreadPoolExecutor(clients.CONNECTIONS) as pool:
            looks = {lease.shard: pool.submit(self._look, lease) for lease in leases}
            return {shard: look.result() for shard, look in looks.items()}

    def look_into(self, shards: Iterable[StreamShard]) -> dict[str, Look]:
        """Shard id to its oldest change, of shards that nobody reads yet.

        A child holds nothing older than its parent does, so it is looked into only if that is
        closed and has nothing left.

        Raises:
            SourceError, PermissionDenied: as :meth:`look_behind`.
        """
        below: dict[str | None, list[StreamShard]] = {}
        known = {shard.id: shard for shard in shards}
        for shard in known.values():
            below.setdefault(shard.parent if shard.parent in known else None, []).append(shard)
        looks: dict[str, Look] = {}
        due = below.get(None, [])
        while due:
            looks |= self.look_behind(_unread(shard.id) for shard in due)
            spent = [one for one in due if not one.open and looks[one.id].unread_at is None]
            due = [child for shard in spent for child in below.get(shard.id, [])]
        return looks

    def _list(self, after: str | None) -> list[StreamShard]:
        shards: list[StreamShard] = []
        first = after
        for page in itertools.count(1):
            described = self._page(after)
            # Another implementation of streams (moto) lists all, whatever it is asked to begin at.
            shards += (one for one in map(_shard, described.get("Shards", [])) if one.id != first)
            after = described.get("LastEvaluatedShardId")
            if after is None:
                break
            if page >= _UNHURRIED_PAGES:
                self._wait(_DESCRIBE_INTERVAL)
        return shards

    def _page(self, after: str | None) -> dict[str, Any]:
        start = {"ExclusiveStartShardId": after} if after else {}
        with self._calling("DescribeStream", f"stream {self.arn}"):
            page = self._client.describe_stream(StreamArn=self.arn, **start)
        described: dict[str, Any] = page["StreamDescription"]
        return described

    def _look(self, lease: Lease) -> Look:
        exceptions = self._client.exceptions
        with self._calling("GetRecords", f"shard {lease.shard}"):
            try:
                if lease.checkpoint == TRIM_HORIZON and lease.begin and not self._may_leave(lease):
                    self._demand(lease.shard, lease.begin)
                records = self._records(lease.shard, lease.checkpoint)
            except (exceptions.TrimmedDataAccessException, exceptions.ResourceNotFoundException):
                return Look(trimmed=True)
        return _looked(records, lease.checkpoint)

    def _may_leave(self, lease: Lease) -> bool:
        """Whether its begin, the oldest change left when it was found, may leave (``Begins``)."""
        return lease.begin_found is not None and self._clock.now() - lease.begin_found < HOUR

    def _demand(self, shard: str, begin: str) -> None:
        """Make the service raise if changes from ``begin`` on are gone; a refusal tells nothing."""
        try:
            self._iterator(shard, begin)
        except self._client.exceptions.ClientError as failure:
            if code_of(failure.response) != "ValidationException":
                raise

    def _iterator(self, shard: str, place: str) -> str:
        where = {"ShardIteratorType": place}
        if place not in (TRIM_HORIZON, LATEST):
            where = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": place}
        answer = self._client.get_shard_iterator(StreamArn=self.arn, ShardId=shard, **where)
        return str(answer["ShardIterator"])

    def _records(self, shard: str, checkpoint: str) -> list[dict[str, Any]]:
        """The record at the checkpoint and the one after it, as far as they are there."""
        following: str | None = self._iterator(shard, checkpoint)
        records: list[dict[str, Any]] = []
        for _ in range(EMPTY_PAGES):
            page = self._client.get_records(ShardIterator=following, Limit=2)
            records += page["Records"]
            following = page.get("NextShardIterator")
            if len(records) > 1 or not following:
                break
        return records

    def _calling(self, call: str, on: str) -> Any:
        return clients.calling(f"dynamodb:{call}", on, SourceError, STREAM_HINT)


def turned_on(arn: str) -> str:
    """When a stream was turned on: its label, the last part of its ARN, is that time in UTC."""
    return f"{arn.rpartition('/')[2]}Z"


def _unread(shard: str) -> Lease:
    """The lease that a shard gets, if there is none: it is read from its oldest change on."""
    return Lease(shard, shard, None, TRIM_HORIZON, 0, 0)


def _shard(listed: dict[str, Any]) -> StreamShard:
    ending = listed.get("SequenceNumberRange", {}).get("EndingSequenceNumber")
    return StreamShard(listed["ShardId"], listed.get("ParentShardId"), open=not ending)


def _looked(records: list[dict[str, Any]], checkpoint: str) -> Look:
    applied, unread = None, None
    for record in records:
        created = record["dynamodb"]["ApproximateCreationDateTime"].timestamp()
        if record["dynamodb"]["SequenceNumber"] == checkpoint:
            applied = created
        else:
            unread = created
            break
    return Look(applied, unread)
