"""A look at a task: KCL's tables, the stream, and the heartbeats of this host."""

import boto3
import pytest
from botocore.stub import Stubber

from kcl_processor.config.render import gap_file, heartbeat_folder
from kcl_processor.fleet.leases import Lease
from kcl_processor.fleet.stream import Look, Stream
from kcl_processor.launch.preflight import check_source
from kcl_processor.operate.observe import Observer
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.state.heartbeat import write_heartbeat
from tests.fakes import HandClock
from tests.kcl_tables import fill, make_source_and_destination, make_task, shards_of, snapshot

ROWS, COORDINATOR, WORKERS = snapshot("two-workers")


def stream_of(task, clock):
    arn = check_source(task.source).stream_arn
    client = boto3.client(
        "dynamodbstreams", region_name="us-east-1", endpoint_url=task.source.endpoint
    )
    return Stream(client, arn, clock, clock.turn)


def at(shard, checkpoint, begin=None):
    return Lease(shard, shard, "w", checkpoint, 1, 0, begin=begin)


class FakeStream:
    """A stream that goes with the rows, and holds nothing unread."""

    def shards(self):
        return shards_of(ROWS)

    def look_behind(self, leases):
        return {lease.shard: Look() for lease in leases}


def test_a_look_waits_until_the_living_have_moved(moto_url, tmp_path):
    """One worker renews while it is watched, the other does not: active and stale."""
    task, clock = make_task(moto_url), HandClock()
    client = fill(task, ROWS, COORDINATOR, WORKERS)
    alive = [row for row in ROWS if row["leaseOwner"]["S"] == "worker-1"]

    def wait(seconds):
        clock.turn(seconds)
        for row in alive:
            renewed = {**row, "leaseCounter": {"N": str(int(clock.seconds))}}
            client.put_item(TableName=task.kcl.application_name, Item=renewed)

    seen = Observer(task, tmp_path, clock, wait, FakeStream()).look()
    states = {(view.owner, view.state) for view in seen.shards if view.state != "ended"}
    assert states == {("worker-1", "active"), ("worker-2", "stale")}
    assert (seen.live, seen.dead) == (["worker-1"], ["worker-2"])
    assert seen.leader.owner == "worker-2"


def test_a_task_that_never_ran_has_only_unleased_shards(moto_url, tmp_path):
    """The stream's shards are there, KCL's tables are not, and nothing is waited for."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    began = clock.elapsed()
    seen = Observer(task, tmp_path, clock, clock.turn).look()
    assert not seen.found and {view.state for view in seen.shards} == {"unleased"}
    assert clock.elapsed() == began
    assert (seen.dead_letters, seen.gaps) == (None, None)


def test_this_hosts_notes_are_seen(moto_url, tmp_path):
    """Heartbeats, gaps and dead letters lie in the state directory."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    beat = ShardFigures(task.name, "shardId-1", "w", clock).heartbeat()
    write_heartbeat(heartbeat_folder(task, tmp_path), beat)
    gap_file(task, tmp_path).write_text('{"shard": "shardId-1"}\n')
    seen = Observer(task, tmp_path, clock, clock.turn).look()
    assert (seen.gaps, seen.dead_letters, list(seen.heartbeats)) == (1, 0, ["shardId-1"])


def test_a_look_behind_a_checkpoint_tells_two_ages(moto_url):
    """The change at the checkpoint and the one after it; at the end there is nothing unread."""
    task, clock = make_task(moto_url), HandClock()
    client = make_source_and_destination(task)
    for number in range(3):
        client.put_item(TableName=task.source.table, Item={"pk": {"S": str(number)}})
    stream = stream_of(task, clock)
    (shard,) = [one.id for one in stream.shards()]
    records = stream._records(shard, "TRIM_HORIZON")
    first = records[0]["dynamodb"]["SequenceNumber"]
    look = stream.look_behind([at(shard, first)])[shard]
    assert look.applied_at and look.unread_at and not look.trimmed
    everything = stream.look_behind([at(shard, "TRIM_HORIZON")])[shard]
    assert everything.applied_at is None and everything.unread_at


@pytest.mark.parametrize(
    ("code", "trimmed"),
    [
        ("TrimmedDataAccessException", True),
        ("ResourceNotFoundException", True),
        ("ValidationException", False),
        (None, False),
    ],
)
def test_a_shard_without_a_checkpoint_is_asked_for_its_begin(moto_url, code, trimmed):
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


def test_shards_are_listed_once_in_a_while(moto_url):
    """DescribeStream has a limit of ten a second that the daemon needs, too."""
    task, clock = make_task(moto_url), HandClock()
    make_source_and_destination(task)
    stream = stream_of(task, clock)
    listed = stream.shards()
    assert stream.shards() is listed
    clock.turn(31)
    assert stream.shards() is not listed
