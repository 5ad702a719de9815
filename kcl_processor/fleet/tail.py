"""One shard of a stream, read on from a place to its end, again and again.

A page may be empty though the shard goes on, so an open shard's end is never told, only that
nothing has come in some pages, from which the next reading goes on. That of a closed one is: there
is no iterator any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from kcl_processor.aws import clients
from kcl_processor.aws.codes import code_of, passes
from kcl_processor.errors import GapError, SourceError
from kcl_processor.fleet.stream import EMPTY_PAGES, STREAM_HINT

# Pages that one reading takes at most, so that one shard's backlog keeps no other from being read.
_MOST_PAGES = 10
_PAGE = 1000
# An iterator expires after 15 minutes (API reference, GetShardIterator); and DynamoDB Local calls
# one of an empty shard trimmed once a change comes. A new one from there tells whether it is so.
_WORN_OUT = ("ExpiredIteratorException", "TrimmedDataAccessException")
_GONE = ("TrimmedDataAccessException", "ResourceNotFoundException")
# Who deletes what has expired (DynamoDB developer guide, "DynamoDB Streams and Time to Live").
_EXPIRY = ("Service", "dynamodb.amazonaws.com")


@dataclass(frozen=True)
class Record:
    """One change of a shard; of the item there is nothing.

    Attributes:
        created: seconds since the epoch, rounded down to the second.
        expired: time to live deleted it, and no writer.
    """

    sequence_number: str
    created: float
    expired: bool


class ShardTail:
    """One shard.

    Args:
        client: a DynamoDB Streams client.
        after: the sequence number behind which to read; ``None`` is the shard's oldest change.

    Attributes:
        after: where the next reading begins.
        ended: it is closed, and read to its end.
        at_end: the last reading came to where nothing was; behind any other there may be more.
    """

    def __init__(self, client: Any, arn: str, shard: str, after: str | None) -> None:
        self.shard = shard
        self.after = after
        self.ended = False
        self.at_end = False
        self._client = client
        self._arn = arn
        self._iterator: str | None = None

    def read(self) -> list[Record] | None:
        """What has come since the last reading; ``None`` if the service put it off.

        Nothing is read where :data:`EMPTY_PAGES` in a row are empty.

        Raises:
            GapError: what came next left the stream.
            SourceError, PermissionDenied: it cannot be read.
        """
        self.at_end = False
        found, empty = list[Record](), 0
        for _ in range(_MOST_PAGES):
            if self.ended or empty == EMPTY_PAGES:
                break
            page = self._patiently()
            if page is None:
                return found or None
            found += page
            empty = 0 if page else empty + 1
        self.at_end = self.ended or empty == EMPTY_PAGES
        return found

    def _patiently(self) -> list[Record] | None:
        with clients.calling(
            "dynamodb:GetRecords", f"shard {self.shard}", SourceError, STREAM_HINT
        ):
            try:
                return self._page()
            except ClientError as failure:
                if code_of(failure.response) in _GONE:
                    raise self._lost() from failure
                if not passes(failure.response):
                    raise
            except (ConnectionError, HTTPClientError):
                pass
        return None

    def _page(self) -> list[Record]:
        try:
            page = self._records(self._iterator or self._begin())
        except ClientError as failure:
            if code_of(failure.response) not in _WORN_OUT:
                raise
            page = self._records(self._begin())
        self._iterator = page.get("NextShardIterator")
        self.ended = self._iterator is None
        found = [_record(one) for one in page["Records"]]
        if found:
            self.after = found[-1].sequence_number
        return found

    def _records(self, iterator: str) -> dict[str, Any]:
        page: dict[str, Any] = self._client.get_records(ShardIterator=iterator, Limit=_PAGE)
        return page

    def _begin(self) -> str:
        where = {"ShardIteratorType": "TRIM_HORIZON"}
        if self.after:
            where = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": self.after,
            }
        answer = self._client.get_shard_iterator(StreamArn=self._arn, ShardId=self.shard, **where)
        return str(answer["ShardIterator"])

    def _lost(self) -> GapError:
        return GapError(
            f"What came behind {self.after or 'its begin'} in shard {self.shard} left the stream.",
            "kcl-processor status, which says what the daemon has missed",
        )


def _record(shown: dict[str, Any]) -> Record:
    told = shown["dynamodb"]
    # Other implementations write the names with a small letter, as the adapter does.
    who = {name.lower(): value for name, value in (shown.get("userIdentity") or {}).items()}
    by = (who.get("type"), who.get("principalid"))
    return Record(
        told["SequenceNumber"], told["ApproximateCreationDateTime"].timestamp(), by == _EXPIRY
    )
