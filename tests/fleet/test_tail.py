"""A shard is read on to its end, and what left the stream is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from kcl_processor.errors import GapError, OperatorError, PermissionDenied
from kcl_processor.fleet.stream import EMPTY_PAGES
from kcl_processor.fleet.tail import ShardTail

AT = datetime(2026, 1, 1, tzinfo=UTC)


def refusal(code: str, status: int = 400) -> ClientError:
    """What the client raises for an answer with that code."""
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetRecords")


def page(*numbers: int, last: bool = False, who: dict[str, str] | None = None) -> dict[str, Any]:
    """A page of records with these sequence numbers; behind the last one a shard is at its end."""
    records = [
        {
            "dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": AT},
            **({"userIdentity": who} if who else {}),
        }
        for number in numbers
    ]
    return {"Records": records} | ({} if last else {"NextShardIterator": "next"})


# As many empty pages as end a reading.
NOTHING = [page()] * EMPTY_PAGES


class Shard:
    """A shard whose pages, and refusals, come in turn."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.begun: list[tuple[str, str | None]] = []
        self._answers = list(answers)

    def get_shard_iterator(self, **asked: str) -> dict[str, str]:
        self.begun.append((asked["ShardIteratorType"], asked.get("SequenceNumber")))
        return {"ShardIterator": "first"}

    def get_records(self, **_: Any) -> dict[str, Any]:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def numbers(tail: ShardTail) -> list[str] | None:
    """The sequence numbers of one reading."""
    found = tail.read()
    return None if found is None else [one.sequence_number for one in found]


def test_it_is_read_on_from_where_it_stands() -> None:
    """A reading ends at some empty pages, the next one goes on; a closed shard's end is told."""
    shard = Shard(page(1, 2), page(3), *NOTHING, page(4), page(last=True))
    tail = ShardTail(shard, "arn", "s", None)
    assert numbers(tail) == ["1", "2", "3"] and tail.after == "3" and not tail.ended
    assert numbers(tail) == ["4"] and tail.ended
    assert numbers(tail) == [] and shard.begun == [("TRIM_HORIZON", None)]


def test_what_lies_behind_an_empty_page_is_read() -> None:
    """It is another portion of the shard."""
    tail = ShardTail(Shard(page(), page(1), page(), page(), page(2), *NOTHING), "arn", "s", None)
    assert numbers(tail) == ["1", "2"]
    busy = refusal("ThrottlingException")
    tail = ShardTail(Shard(page(), busy, page(1), *NOTHING), "arn", "s", None)
    assert numbers(tail) is None, "one that is put off behind an empty page tells nothing"
    assert numbers(tail) == ["1"]


def test_a_reading_tells_whether_more_may_lie_behind_it() -> None:
    """One that took its most pages, or was put off behind some, came to no end."""
    backlog = [page(number) for number in range(1, 11)]
    busy = refusal("ThrottlingException")
    tail = ShardTail(Shard(*backlog, page(11), busy, *NOTHING, page(last=True)), "arn", "s", None)
    assert not tail.at_end
    seen = [(numbers(tail), tail.at_end) for _ in range(4)]
    assert seen == [
        ([str(number) for number in range(1, 11)], False),
        (["11"], False),
        ([], True),
        ([], True),
    ]
    assert tail.ended and numbers(tail) == [] and tail.at_end


@pytest.mark.parametrize("code", ["ExpiredIteratorException", "TrimmedDataAccessException"])
def test_an_iterator_that_is_worn_out_is_replaced(code: str) -> None:
    """From the same place: nothing is passed over, and a place that is there is no gap."""
    shard = Shard(*NOTHING, refusal(code), page(8), *NOTHING)
    tail = ShardTail(shard, "arn", "s", "7")
    assert numbers(tail) == [] and numbers(tail) == ["8"]
    assert shard.begun == [("AFTER_SEQUENCE_NUMBER", "7")] * 2


@pytest.mark.parametrize("code", ["TrimmedDataAccessException", "ResourceNotFoundException"])
def test_what_left_the_stream_is_told(code: str) -> None:
    """Nobody can say then what came."""
    shard = Shard(refusal(code), refusal(code))
    with pytest.raises(GapError, match="behind 7 in shard s left the stream"):
        ShardTail(shard, "arn", "s", "7").read()


@pytest.mark.parametrize(
    "failure",
    [
        refusal("ProvisionedThroughputExceededException"),
        refusal("InternalServerError", 500),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
)
def test_a_reading_that_is_put_off_is_not_an_empty_one(failure: Exception) -> None:
    """What was read before it counts, and the next reading goes on behind that."""
    tail = ShardTail(Shard(failure, page(1), failure, page(2), *NOTHING), "arn", "s", None)
    assert [numbers(tail) for _ in range(3)] == [None, ["1"], ["2"]]


def test_what_is_denied_is_told() -> None:
    """It does not pass."""
    tail = ShardTail(Shard(refusal("AccessDeniedException")), "arn", "s", None)
    with pytest.raises(PermissionDenied, match="dynamodb:GetRecords on shard s"):
        tail.read()
    with pytest.raises(OperatorError):
        ShardTail(Shard(refusal("ValidationException")), "arn", "s", None).read()


def test_what_time_to_live_deletes_is_told_from_what_a_writer_does() -> None:
    """By the identity that the service gives such a deletion."""
    expiry = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    other = {"Type": "Service", "PrincipalId": "x.amazonaws.com"}
    answers = (page(1), page(2, who=expiry), page(3, who=other), *NOTHING)
    read = ShardTail(Shard(*answers), "arn", "s", None).read()
    assert read is not None and [one.expired for one in read] == [False, True, False]
    assert read[0].created == AT.timestamp()
