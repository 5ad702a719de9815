"""The stream as its own API shows it."""

from __future__ import annotations

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.fleet.stream import Stream
from tests.fakes import HandClock
from tests.kcl_tables import make_source_and_destination, make_task


def stream_of(task: Task, clock: HandClock) -> Stream:
    """The stream of the task's source, both of which are there."""
    described = clients.tables(task.source).describe_table(TableName=task.source.table)
    arn = described["Table"]["LatestStreamArn"]
    return Stream(clients.streams(task.source), arn, clock, clock.turn)


def test_a_look_behind_a_checkpoint_tells_two_ages(moto_url: str) -> None:
    """The change at the checkpoint and the one after it; at the end there is nothing unread."""
    task, clock = make_task(moto_url), HandClock()
    client = make_source_and_destination(task)
    for number in range(3):
        client.put_item(TableName=task.source.table, Item={"pk": {"S": str(number)}})
    stream = stream_of(task, clock)
    (shard,) = [one.id for one in stream.shards()]
    records = stream._records(shard, "TRIM_HORIZON")
    first = records[0]["dynamodb"]["SequenceNumber"]
    look = stream.look_behind([(shard, first)])[shard]
    assert look.applied_at and look.unread_at and not look.trimmed
    everything = stream.look_behind([(shard, "TRIM_HORIZON")])[shard]
    assert everything.applied_at is None and everything.unread_at


def test_shards_are_listed_once_in_a_while(moto_url: str) -> None:
    """DescribeStream has a limit of ten a second that the daemon needs, too."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    stream = stream_of(task, clock)
    listed = stream.shards()
    assert stream.shards() is listed
    clock.turn(31)
    assert stream.shards() is not listed


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
