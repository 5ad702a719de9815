"""The simulated stream and source behave as the DynamoDB Streams API reference says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from integration.clients import BROKEN, Client, client, refusal
from integration.simulator.client import SimulatorProcess
from integration.simulator.items import key_attributes
from integration.stream_reader import iterator, records, shards
from integration.until import until


@pytest.fixture
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(lineages=3, preload=900, keys=100, delete_share=0.2) as process:
        yield process


@pytest.fixture
def streams(simulator: SimulatorProcess) -> Client:
    return client("dynamodbstreams", simulator.source_url)


@pytest.fixture
def arn(simulator: SimulatorProcess) -> str:
    return str(simulator.ready["stream_arn"])


def answers(destination: Client) -> bool:
    """Return whether a connection to the destination stands."""
    try:
        destination.describe_table(TableName="replica")
    except BROKEN:
        return False
    return True


def read_all(streams: Client, arn: str) -> list[dict[str, Any]]:
    """Read every shard from its beginning."""
    found = []
    for shard in shards(streams, arn):
        found += list(records(streams, iterator(streams, arn, shard["ShardId"])))
    return found


def test_every_change_is_read_once_and_in_order_within_its_key(streams: Client, arn: str) -> None:
    """Each shard yields its keys' versions upwards and all shards together yield every change."""
    found = read_all(streams, arn)
    assert len(found) == 900
    newest: dict[str, int] = {}
    for record in found:
        image = record["dynamodb"].get("NewImage") or record["dynamodb"]["OldImage"]
        key, version = image["pk"]["S"], int(image["ver"]["N"])
        version += record["eventName"] == "REMOVE"
        assert version == newest.get(key, 0) + 1
        newest[key] = version


def test_records_have_the_images_of_their_event(streams: Client, arn: str) -> None:
    """INSERT has a new image, REMOVE an old one, MODIFY both, with attributes of every type."""
    images = {"INSERT": {"NewImage"}, "MODIFY": {"NewImage", "OldImage"}, "REMOVE": {"OldImage"}}
    seen = set()
    for record in read_all(streams, arn):
        event = record["eventName"]
        seen.add(event)
        assert {"NewImage", "OldImage"} & set(record["dynamodb"]) == images[event]
        assert 21 <= len(record["dynamodb"]["SequenceNumber"]) <= 40
    assert seen == set(images)
    kinds = {kind for value in record["dynamodb"]["OldImage"].values() for kind in value}
    assert kinds >= {"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"}


def test_describe_stream_pages_by_limit(streams: Client, arn: str) -> None:
    """Pages of one shard give the same shards as one page."""
    whole = shards(streams, arn)
    assert len(whole) == 3
    assert shards(streams, arn, Limit=1) == whole
    assert shards(streams, arn, Limit=2) == whole


@pytest.mark.parametrize(("action", "children"), [("rollover", 1), ("split", 2)])
def test_a_closed_shard_ends_and_names_its_children(
    simulator: SimulatorProcess, streams: Client, arn: str, action: str, children: int
) -> None:
    """After rollover or split the parent ends, and CHILD_SHARDS gives its children."""
    parent = shards(streams, arn)[0]["ShardId"]
    opened = simulator.control(**{action: 0})[action]
    assert len(opened) == children
    description = shards(streams, arn)[0]
    assert "EndingSequenceNumber" in description["SequenceNumberRange"]
    only_children = shards(streams, arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": parent})
    assert [shard["ShardId"] for shard in only_children] == opened
    assert {shard["ParentShardId"] for shard in only_children} == {parent}
    start: str | None = iterator(streams, arn, parent)
    while start is not None:
        start = streams.get_records(ShardIterator=start).get("NextShardIterator")


def test_a_key_goes_on_in_a_child_shard(
    simulator: SimulatorProcess, streams: Client, arn: str
) -> None:
    """Three generations on, each shard's new changes lie above every older sequence number."""
    before = {record["dynamodb"]["SequenceNumber"] for record in read_all(streams, arn)}
    simulator.control(rollover=None)
    simulator.control(split=None)
    simulator.control(rollover=1)
    simulator.control(write=300)
    after = {record["dynamodb"]["SequenceNumber"] for record in read_all(streams, arn)} - before
    assert len(after) == 300
    assert min(map(int, after)) > max(map(int, before))
    assert simulator.status()["open_shards"] == 6


def test_iterators_begin_where_they_say(
    simulator: SimulatorProcess, streams: Client, arn: str
) -> None:
    """AT includes the record, AFTER begins behind it, LATEST sees only what comes later."""
    shard = shards(streams, arn)[0]["ShardId"]
    numbers = [
        record["dynamodb"]["SequenceNumber"]
        for record in records(streams, iterator(streams, arn, shard))
    ]
    for kind, expected in (
        ("AT_SEQUENCE_NUMBER", numbers[5]),
        ("AFTER_SEQUENCE_NUMBER", numbers[6]),
    ):
        start = iterator(streams, arn, shard, kind, numbers[5])
        first = next(records(streams, start, limit=1))
        assert first["dynamodb"]["SequenceNumber"] == expected
    latest = iterator(streams, arn, shard, "LATEST")
    assert list(records(streams, latest)) == []
    simulator.control(write=50)
    assert all(
        int(record["dynamodb"]["SequenceNumber"]) > int(numbers[-1])
        for record in records(streams, latest)
    )


def test_a_page_ends_at_one_megabyte() -> None:
    """Big items come in pages of at most 1 MB of item data, and none is left out."""
    with SimulatorProcess(lineages=1, preload=60, keys=5, item_size=50_000) as simulator:
        streams = client("dynamodbstreams", simulator.source_url)
        arn = simulator.ready["stream_arn"]
        shard = shards(streams, arn)[0]["ShardId"]
        page = streams.get_records(ShardIterator=iterator(streams, arn, shard))["Records"]
        assert sum(record["dynamodb"]["SizeBytes"] for record in page) <= 1 << 20
        assert len(read_all(streams, arn)) == 60


def test_trimmed_changes_are_gone_and_say_so(
    simulator: SimulatorProcess, streams: Client, arn: str
) -> None:
    """Behind the trim horizon iterators fail by name, and an expired shard is not found."""
    shard = shards(streams, arn)[0]["ShardId"]
    old = iterator(streams, arn, shard)
    number = next(records(streams, old))["dynamodb"]["SequenceNumber"]
    simulator.control(rollover=0)
    simulator.control(trim={"seconds": 0})
    where = {"StreamArn": arn, "ShardId": shard}
    after = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number}
    assert refusal(streams.get_records, ShardIterator=old)["Code"] == "TrimmedDataAccessException"
    assert (
        refusal(streams.get_shard_iterator, **where, **after)["Code"]
        == "TrimmedDataAccessException"
    )
    assert list(records(streams, iterator(streams, arn, shard))) == []
    simulator.control(trim={"seconds": 0, "expire": True})
    assert (
        refusal(streams.get_shard_iterator, **where, ShardIteratorType="TRIM_HORIZON")["Code"]
        == "ResourceNotFoundException"
    )


def test_a_recreated_stream_has_a_new_arn(
    simulator: SimulatorProcess, streams: Client, arn: str
) -> None:
    """The old stream stays readable and disabled, or is gone; the table names the new one."""
    kept = simulator.control(recreate=True)["recreate"]
    assert streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"
    newest = simulator.control(recreate=False)["recreate"]
    assert refusal(streams.describe_stream, StreamArn=kept)["Code"] == "ResourceNotFoundException"
    listed = streams.list_streams(TableName="source")["Streams"]
    assert [stream["StreamArn"] for stream in listed] == [arn, newest]
    table = client("dynamodb", simulator.source_url).describe_table(TableName="source")["Table"]
    assert table["LatestStreamArn"] == newest


def test_a_stream_that_is_off_can_be_read_to_its_end(
    simulator: SimulatorProcess, streams: Any, arn: str
) -> None:
    """Its shards are closed, the table names it still, and later changes are in no stream."""
    simulator.control(turn_off=None)
    simulator.control(write=50)
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert described["StreamStatus"] == "DISABLED"
    assert all("EndingSequenceNumber" in s["SequenceNumberRange"] for s in described["Shards"])
    assert len(read_all(streams, arn)) == 900
    table = client("dynamodb", simulator.source_url).describe_table(TableName="source")["Table"]
    assert table["LatestStreamArn"] == arn and "StreamSpecification" not in table
    newest = simulator.control(recreate=True)["recreate"]
    assert newest != arn and len(shards(streams, newest)) == 3
    assert simulator.verdict()["lost"] > 0


def test_a_stream_can_be_older_than_the_simulator() -> None:
    """Shard ids begin with their creation in milliseconds, those of later shards, too."""
    with SimulatorProcess(lineages=1, stream_age=90_000.0) as simulator:
        streams = client("dynamodbstreams", simulator.source_url)
        simulator.control(rollover=0)
        for shard in shards(streams, simulator.ready["stream_arn"]):
            created = int(shard["ShardId"].split("-")[1]) / 1000
            assert 89_990 < time.time() - created < 90_060


@pytest.mark.parametrize(
    "kind",
    ["LimitExceededException", "InternalServerError", "ExpiredIteratorException"],
)
def test_source_errors_are_switched_on_and_off(
    simulator: SimulatorProcess, streams: Client, arn: str, kind: str
) -> None:
    """An error fault holds for its operation until the rules are replaced."""
    start = iterator(streams, arn, shards(streams, arn)[0]["ShardId"])
    simulator.faults(source=[{"kind": kind, "operation": "GetRecords"}])
    assert refusal(streams.get_records, ShardIterator=start)["Code"] == kind
    shards(streams, arn)
    simulator.faults(source=[])
    assert streams.get_records(ShardIterator=start)["Records"]


def test_an_iterator_expires(simulator: SimulatorProcess, streams: Client, arn: str) -> None:
    """An iterator older than its life is refused; a new one works."""
    shard = shards(streams, arn)[0]["ShardId"]
    start = iterator(streams, arn, shard)
    simulator.control(stream={"iterator_seconds": 0})
    assert refusal(streams.get_records, ShardIterator=start)["Code"] == "ExpiredIteratorException"
    simulator.control(stream={"iterator_seconds": 900})
    assert streams.get_records(ShardIterator=iterator(streams, arn, shard))["Records"]


def test_resets_empty_pages_and_an_outage(
    simulator: SimulatorProcess, streams: Client, arn: str
) -> None:
    """The connection breaks, pages come empty in place, and the port refuses for its time."""
    start = iterator(streams, arn, shards(streams, arn)[0]["ShardId"])
    simulator.faults(source=[{"kind": "reset"}])
    with pytest.raises(BROKEN):
        streams.get_records(ShardIterator=start)
    simulator.faults(source=[{"kind": "empty", "operation": "GetRecords"}])
    answer = streams.get_records(ShardIterator=start)
    assert answer["Records"] == []
    simulator.faults(source=[])
    assert streams.get_records(ShardIterator=answer["NextShardIterator"])["Records"]
    destination = client("dynamodb", simulator.destination_url)
    simulator.control(outage={"endpoint": "destination", "seconds": 0.5})
    until(lambda: not answers(destination), "the port refuses", 5)
    until(lambda: answers(destination), "the port answers again", 5)


def test_the_source_table_is_read_in_pages_and_segments(simulator: SimulatorProcess) -> None:
    """Scan pages and parallel segments give the live items, as GetItem gives each."""
    table = client("dynamodb", simulator.source_url)
    pages = table.get_paginator("scan")
    whole = [item for page in pages.paginate(TableName="source", Limit=7) for item in page["Items"]]
    parts = [
        item["pk"]["S"]
        for segment in range(4)
        for page in pages.paginate(TableName="source", Segment=segment, TotalSegments=4)
        for item in page["Items"]
    ]
    assert whole
    assert sorted(parts) == sorted(item["pk"]["S"] for item in whole)
    key = {name: whole[0][name] for name in ("pk", "sk")}
    assert table.get_item(TableName="source", Key=key)["Item"] == whole[0]
    simulator.control(change={"number": 5000})
    key = key_attributes(5000)
    assert table.get_item(TableName="source", Key=key)["Item"]["ver"] == {"N": "1"}
    simulator.control(change={"number": 5000, "delete": True})
    assert "Item" not in table.get_item(TableName="source", Key=key)


def test_calls_are_counted_by_second(
    simulator: SimulatorProcess, streams: Client, arn: str
) -> None:
    """The counters tell the calls of each operation and the most in a second for a shard."""
    shard = shards(streams, arn)[0]["ShardId"]
    list(records(streams, iterator(streams, arn, shard), limit=100))
    counts = simulator.status()["source"]
    assert counts["calls"]["DescribeStream"] == 1
    assert 1 <= counts["most_in_a_second"][f"GetRecords {shard}"] <= counts["calls"]["GetRecords"]


def test_other_calls_go_to_the_database_behind() -> None:
    """A table that is not simulated is served by what stands behind, through either port."""
    with (
        SimulatorProcess(destination_table="leases") as behind,
        SimulatorProcess(behind=behind.destination_url) as simulator,
    ):
        for url in (simulator.source_url, simulator.destination_url):
            table = client("dynamodb", url).describe_table(TableName="leases")["Table"]
            assert table["TableName"] == "leases"
            missing = client("dynamodb", url).describe_table
            assert refusal(missing, TableName="nothing")["Code"] == "ResourceNotFoundException"
