"""The stream as its own API shows it."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.fleet.leases import Lease
from kcl_processor.fleet.stream import HOUR, Look, Stream, StreamShard
from tests.fakes import HandClock
from tests.kcl_tables import make_source_and_destination, make_task


def stream_of(task: Task, clock: HandClock) -> Stream:
    """The stream of the task's source, both of which are there."""
    described = clients.tables(task.source).describe_table(TableName=task.source.table)
    arn = described["Table"]["LatestStreamArn"]
    return Stream(clients.streams(task.source), arn, clock, clock.turn)


def first_sequence_number(task: Task, arn: str, shard: str) -> str:
    """The place of a shard's oldest change."""
    client = clients.streams(task.source)
    start = client.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )
    page = client.get_records(ShardIterator=start["ShardIterator"], Limit=1)
    return str(page["Records"][0]["dynamodb"]["SequenceNumber"])


def at(shard: str, checkpoint: str, begin: str | None = None, found: float | None = None) -> Lease:
    """A lease at a checkpoint."""
    return Lease(shard, shard, "w", checkpoint, 1, 0, begin=begin, begin_found=found)


def test_a_look_behind_a_checkpoint_tells_two_ages(moto_url: str) -> None:
    """The change at the checkpoint and the one after it; at the end there is nothing unread."""
    task, clock = make_task(moto_url), HandClock()
    client = make_source_and_destination(task)
    for number in range(3):
        client.put_item(TableName=task.source.table, Item={"pk": {"S": str(number)}})
    stream = stream_of(task, clock)
    (shard,) = [one.id for one in stream.shards()]
    first = first_sequence_number(task, stream.arn, shard)
    look = stream.look_behind([at(shard, first)])[shard]
    assert look.applied_at and look.unread_at and not look.trimmed
    everything = stream.look_behind([at(shard, "TRIM_HORIZON")])[shard]
    assert everything.applied_at is None and everything.unread_at


class Lineage(Stream):
    """Shards, some with a change; keeps which were looked into."""

    def __init__(self, *changed: str) -> None:
        self.changed = changed
        self.seen: list[str] = []

    def look_behind(self, leases: Iterable[Lease]) -> dict[str, Look]:
        names = [lease.shard for lease in leases]
        self.seen += names
        return {name: Look(unread_at=7.0 if name in self.changed else None) for name in names}


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ("a", ["a", "d"]),
        ("b", ["a", "d", "b"]),
        ("c", ["a", "d", "b", "c"]),
        ("e", ["a", "d", "b", "c"]),
    ],
)
def test_the_oldest_change_of_unread_shards_is_found_from_the_top(
    changed: str, seen: list[str]
) -> None:
    """Below a shard that has one, or is open, there is none that is older."""
    parents = {"a": None, "b": "a", "c": "b", "d": "gone", "e": "d"}
    shards = [StreamShard(name, parent, open=name in "cd") for name, parent in parents.items()]
    stream = Lineage(changed)
    looks = stream.look_into(shards)
    assert stream.seen == seen
    assert any(look.unread_at for look in looks.values()) == (changed != "e")
    assert stream.look_into([]) == {}


def test_shards_are_listed_once_in_a_while(moto_url: str) -> None:
    """DescribeStream has a limit of ten a second that the daemon needs, too."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    stream = stream_of(task, clock)
    listed = stream.shards()
    assert stream.shards() is listed
    clock.turn(31)
    assert stream.shards() is not listed


class Trimmed(Exception):
    """What the service raises for an iterator that lies behind its oldest change."""


class Gone(Exception):
    """What the service raises for a shard that left the stream."""


class FakeClient:
    """A stream of some shards, a page each, that holds no change of any checkpoint."""

    def __init__(self, shards: int = 3) -> None:
        self.shards = shards

    exceptions = SimpleNamespace(TrimmedDataAccessException=Trimmed, ResourceNotFoundException=Gone)

    def describe_stream(self, **request: str) -> dict[str, Any]:
        number = int(request.get("ExclusiveStartShardId", "0")) + 1
        span = {"StartingSequenceNumber": "1"}
        if number < self.shards:
            span["EndingSequenceNumber"] = "2"
        page: dict[str, Any] = {
            "Shards": [
                {
                    "ShardId": str(number),
                    "ParentShardId": str(number - 1),
                    "SequenceNumberRange": span,
                }
            ]
        }
        if number < self.shards:
            page["LastEvaluatedShardId"] = str(number)
        return {"StreamDescription": page}

    def get_shard_iterator(self, **request: str) -> dict[str, str]:
        raise Gone if request["ShardId"] == "1" else Trimmed


@pytest.mark.parametrize(("pages", "held_up"), [(5, 0), (6, 1), (36, 31)])
def test_a_long_list_of_shards_is_not_hurried(pages: int, held_up: int) -> None:
    """DescribeStream takes ten calls a second, for the daemon and for us."""
    clock = HandClock()
    began = clock.elapsed()
    shards = Stream(FakeClient(pages), "arn", clock, clock.turn).shards()
    assert len(shards) == pages
    assert clock.elapsed() - began == pytest.approx(held_up * 0.2)


def test_a_list_goes_on_from_a_shard() -> None:
    """It is another list than the whole one, which is not kept in its place."""
    clock = HandClock()
    stream = Stream(FakeClient(), "arn", clock, clock.turn)
    assert [shard.id for shard in stream.shards("2")] == ["3"]
    assert [shard.id for shard in stream.shards()] == ["1", "2", "3"]


def test_the_shard_to_go_on_from_is_no_shard_after_it(moto_url: str) -> None:
    """moto's stream lists its one shard whatever it is asked for."""
    task = make_task(moto_url)
    make_source_and_destination(task)
    stream = stream_of(task, HandClock())
    (shard,) = stream.shards()
    assert stream.shards(shard.id) == []


def test_shards_are_listed_with_their_parents() -> None:
    """One that still takes changes has no end."""
    clock = HandClock()
    shards = Stream(FakeClient(), "arn", clock, clock.turn).shards()
    assert [(shard.id, shard.parent, shard.open) for shard in shards] == [
        ("1", "0", False),
        ("2", "1", False),
        ("3", "2", True),
    ]


def test_a_checkpoint_that_the_stream_no_longer_holds_is_trimmed() -> None:
    """Whether its change left the stream or its whole shard did."""
    clock = HandClock()
    looks = Stream(FakeClient(), "arn", clock, clock.turn).look_behind([at("1", "5"), at("2", "7")])
    assert looks == {"1": Look(trimmed=True), "2": Look(trimmed=True)}


@pytest.mark.parametrize("number", ["123", "9" * 22])
def test_a_place_that_is_not_in_a_shard_is_not_held(moto_url: str, number: str) -> None:
    """Too short, too long, not there: KCL would ask for an iterator at it for ever."""
    task, clock = make_task(moto_url), HandClock()
    client = make_source_and_destination(task)
    client.put_item(TableName=task.source.table, Item={"pk": {"S": "a"}})
    stream = stream_of(task, clock)
    (shard,) = stream.shards()
    records = stream._records(shard.id, "TRIM_HORIZON")
    assert stream.holds(shard.id, records[0]["dynamodb"]["SequenceNumber"])
    assert not stream.holds(shard.id, number)


@pytest.mark.parametrize(
    ("code", "trimmed"),
    [
        ("TrimmedDataAccessException", True),
        ("ResourceNotFoundException", True),
        ("ValidationException", False),
        (None, False),
    ],
)
def test_a_shard_without_a_checkpoint_is_asked_for_its_begin(
    moto_url: str, code: str | None, *, trimmed: bool
) -> None:
    """At the oldest change that is left nothing tells what was before; at its begin it does."""
    client = boto3.client("dynamodbstreams", region_name="us-east-1", endpoint_url=moto_url)
    begin = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "5".zfill(21)}
    oldest = {"ShardIteratorType": "TRIM_HORIZON"}
    where = {"StreamArn": "arn:aws:dynamodb:us-east-1:1:table/t/stream/now", "ShardId": "s" * 28}
    with Stubber(client) as stub:
        if code:
            stub.add_client_error("get_shard_iterator", code, expected_params={**where, **begin})
        else:
            stub.add_response("get_shard_iterator", {"ShardIterator": "b"}, {**where, **begin})
        if not trimmed:
            answer = {"ShardIterator": "i"}
            stub.add_response("get_shard_iterator", answer, {**where, **oldest})
            stub.add_response("get_records", {"Records": []}, {"ShardIterator": "i", "Limit": 2})
        clock = HandClock()
        stream = Stream(client, where["StreamArn"], clock, clock.turn)
        lease = at(where["ShardId"], "TRIM_HORIZON", begin["SequenceNumber"])
        assert stream.look_behind([lease]) == {lease.shard: Look(trimmed=trimmed)}
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(("age", "trimmed"), [(HOUR - 1, False), (HOUR + 1, True)])
def test_the_oldest_change_left_may_leave_soon_after_it_was_found(
    moto_url: str, age: float, *, trimmed: bool
) -> None:
    """A first start found it to be the begin; an hour later something else is gone, too."""
    client = boto3.client("dynamodbstreams", region_name="us-east-1", endpoint_url=moto_url)
    where = {"StreamArn": "arn:aws:dynamodb:us-east-1:1:table/t/stream/now", "ShardId": "s" * 28}
    with Stubber(client) as stub:
        if trimmed:
            stub.add_client_error("get_shard_iterator", "TrimmedDataAccessException")
        else:
            stub.add_response("get_shard_iterator", {"ShardIterator": "i"})
            stub.add_response("get_records", {"Records": []})
        clock = HandClock()
        stream = Stream(client, where["StreamArn"], clock, clock.turn)
        lease = at(where["ShardId"], "TRIM_HORIZON", "5".zfill(21), clock.now() - age)
        assert stream.look_behind([lease]) == {lease.shard: Look(trimmed=trimmed)}
        stub.assert_no_pending_responses()
