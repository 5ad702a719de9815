"""What run checks before it starts: each failure says what, where, and what to type."""

import json
import uuid
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from kcl_processor.config.task import Kcl, Side, Source, Task
from kcl_processor.errors import (
    ConfigError,
    DestinationError,
    ExitCode,
    GapError,
    OperatorError,
    SourceError,
)
from kcl_processor.fleet.kcl_tables import LEASE_INDEX, make_kcl_tables
from kcl_processor.launch.identity import claim, identity
from kcl_processor.launch.preflight import check_destination, check_source

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
GONE = "arn:aws:dynamodb:us-east-1:123456789012:table/gone/stream/2020-01-01T00:00:00.000"


@pytest.fixture
def dynamodb(moto_url):
    return boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)


def table(dynamodb, key="pk", kind="S", **options):
    name = f"t-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind}],
        BillingMode="PAY_PER_REQUEST",
        **options,
    )
    return name


def source(moto_url, name, **options):
    return Source("us-east-1", name, moto_url, **options)


def task(moto_url, name, **options):
    side = source(moto_url, name)
    kcl = Kcl("us-east-1", moto_url, f"App-{uuid.uuid4().hex[:8]}", "worker")
    return Task("task", side, Side("us-east-1", f"{name}-2", moto_url), kcl, **options)


def test_a_source_with_both_images_passes(moto_url, dynamodb):
    """The facts of a good source are its stream and its keys."""
    facts = check_source(source(moto_url, table(dynamodb, StreamSpecification=STREAM)))
    assert facts.keys == {"pk": ("HASH", "S")} and "/stream/" in facts.stream_arn


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "is off"),
        (
            {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}},
            "shows KEYS_ONLY",
        ),
    ],
)
def test_a_stream_that_cannot_be_replicated_names_the_cure(moto_url, dynamodb, options, says):
    """No stream, or one without images: the error holds the command that turns it on."""
    with pytest.raises(SourceError, match=says) as raised:
        check_source(source(moto_url, table(dynamodb, **options)))
    assert "aws dynamodb update-table" in raised.value.hint


def test_a_missing_source_is_named(moto_url):
    """A typing error in a table's name is told with table and region."""
    with pytest.raises(SourceError, match="nothing-here in us-east-1"):
        check_source(source(moto_url, "nothing-here"))


def test_another_stream_than_the_tasks_is_refused(moto_url, dynamodb):
    """A task that names a stream does not go on with another one."""
    name = table(dynamodb, StreamSpecification=STREAM)
    with pytest.raises(SourceError, match="turned off and on again"):
        check_source(source(moto_url, name, stream_arn="arn:old"))


@pytest.mark.parametrize("other", [{"key": "id"}, {"kind": "N"}])
def test_a_destination_with_other_keys_is_refused(moto_url, dynamodb, other):
    """Other key names or types are named on both sides."""
    destination = Side("us-east-1", table(dynamodb, **other), moto_url)
    with pytest.raises(DestinationError, match="pk S HASH"):
        check_destination(destination, {"pk": ("HASH", "S")})


def test_a_missing_destination_names_the_command_that_makes_it(moto_url):
    """prepare creates it."""
    with pytest.raises(DestinationError) as raised:
        check_destination(Side("us-east-1", "nothing-here", moto_url), {})
    assert "kcl-processor prepare" in raised.value.hint


def test_an_endpoint_that_does_not_answer_is_named():
    """The error is one line about the endpoint, and worth a restart: an outage may pass."""
    with pytest.raises(OperatorError, match=r"127\.0\.0\.1:9") as raised:
        check_source(source("http://127.0.0.1:9", "t"))
    assert raised.value.exit_code == ExitCode.CRASH


def test_kcls_tables_are_made_once_with_their_index(moto_url, dynamodb):
    """Three tables on demand, the lease table with its index; a second start changes nothing."""
    made = task(moto_url, "t")
    make_kcl_tables(made)
    make_kcl_tables(made)
    leases = dynamodb.describe_table(TableName=made.kcl.application_name)["Table"]
    assert [index["IndexName"] for index in leases["GlobalSecondaryIndexes"]] == [LEASE_INDEX]
    for suffix in ("-CoordinatorState", "-WorkerMetricStats"):
        dynamodb.describe_table(TableName=made.kcl.application_name + suffix)


@pytest.fixture
def gaps(tmp_path):
    return tmp_path / "state" / "gaps.jsonl"


def test_a_checkpoint_table_of_another_replica_is_refused(moto_url, dynamodb, gaps):
    """Another destination under the same task name is refused with both named, or adopted."""
    name = table(dynamodb, StreamSpecification=STREAM)
    made = task(moto_url, name)
    make_kcl_tables(made)
    facts = check_source(made.source)
    claim(made, identity(facts, "arn:one"), adopt=False, gaps=gaps)
    claim(made, identity(facts, "arn:one"), adopt=False, gaps=gaps)
    with pytest.raises(ConfigError, match=r"arn:one.*arn:two"):
        claim(made, identity(facts, "arn:two"), adopt=False, gaps=gaps)
    claim(made, identity(facts, "arn:two"), adopt=True, gaps=gaps)
    claim(made, identity(facts, "arn:two"), adopt=False, gaps=gaps)


@pytest.mark.parametrize(("on_gap", "stops"), [("stop", True), ("continue", False)])
def test_a_stream_that_was_made_again_is_a_gap(moto_url, dynamodb, on_gap, stops, gaps):
    """Checkpoints of an older stream stop the task, unless it goes on over gaps."""
    made = task(moto_url, table(dynamodb, StreamSpecification=STREAM), on_gap=on_gap)
    make_kcl_tables(made)
    facts = check_source(made.source)
    claim(made, replace(identity(facts, "arn:d"), stream=GONE), adopt=False, gaps=gaps)
    if stops:
        with pytest.raises(GapError, match=GONE):
            claim(made, identity(facts, "arn:d"), adopt=False, gaps=gaps)
        assert not gaps.exists()
    read = claim(made, identity(facts, "arn:d"), adopt=stops, gaps=gaps)
    assert read == facts.stream_arn
    (noted,) = map(json.loads, gaps.read_text().splitlines())
    assert noted["checkpoint"] == GONE and noted["to"] in facts.stream_arn + "Z"


def test_a_gap_that_the_daemon_noted_is_not_noted_twice(moto_url, dynamodb, gaps):
    """A daemon whose stream was turned off has noted it before its last line."""
    made = task(moto_url, table(dynamodb, StreamSpecification=STREAM), on_gap="continue")
    make_kcl_tables(made)
    facts = check_source(made.source)
    claim(made, replace(identity(facts, "arn:d"), stream=GONE), adopt=False, gaps=gaps)
    gaps.parent.mkdir()
    gaps.write_text(json.dumps({"shard": None, "checkpoint": GONE}) + "\n")
    assert claim(made, identity(facts, "arn:d"), adopt=False, gaps=gaps) == facts.stream_arn
    assert len(gaps.read_text().splitlines()) == 1


@pytest.mark.parametrize("checkpoint", [None, "5", "SHARD_END"])
def test_what_is_left_of_an_older_stream_is_read_first(moto_url, dynamodb, gaps, checkpoint):
    """It is, until every shard of it was read to its end; a shard without a lease was not."""
    made = task(moto_url, table(dynamodb, StreamSpecification=STREAM), on_gap="continue")
    make_kcl_tables(made)
    facts = check_source(made.source)
    # moto knows a stream by its table, whatever its label.
    old = facts.stream_arn.rpartition("/")[0] + "/2020-01-01T00:00:00.000"
    claim(made, replace(identity(facts, "arn:d"), stream=old), adopt=False, gaps=gaps)
    streams = boto3.client("dynamodbstreams", region_name="us-east-1", endpoint_url=moto_url)
    (shard,) = streams.describe_stream(StreamArn=old)["StreamDescription"]["Shards"]
    if checkpoint:
        row = {"leaseKey": {"S": shard["ShardId"]}, "checkpoint": {"S": checkpoint}}
        dynamodb.put_item(TableName=made.kcl.application_name, Item=row)
    is_read = checkpoint == "SHARD_END"
    for _ in range(2):
        read = claim(made, identity(facts, "arn:d"), adopt=False, gaps=gaps)
        assert read == (facts.stream_arn if is_read else old)
    assert gaps.exists() is is_read


def test_a_gap_that_cannot_be_noted_is_not_passed(moto_url, dynamodb, tmp_path):
    """Going on without a note would be a gap passed in silence."""
    made = task(moto_url, table(dynamodb, StreamSpecification=STREAM), on_gap="continue")
    make_kcl_tables(made)
    facts = check_source(made.source)
    old = replace(identity(facts, "arn:d"), stream=GONE)
    claim(made, old, adopt=False, gaps=tmp_path / "gaps")
    with pytest.raises(GapError, match="cannot be noted"):
        claim(made, identity(facts, "arn:d"), adopt=False, gaps=Path("/dev/full"))


def test_leases_of_a_foreign_stream_are_refused(moto_url, dynamodb, gaps):
    """A table of leases without an identity is taken only if one is of this stream's shards."""
    made = task(moto_url, table(dynamodb, StreamSpecification=STREAM))
    make_kcl_tables(made)
    facts = check_source(made.source)
    row = {"leaseKey": {"S": "shardId-00000001-foreign"}}
    dynamodb.put_item(TableName=made.kcl.application_name, Item=row)
    with pytest.raises(ConfigError, match="another stream"):
        claim(made, identity(facts, "arn:d"), adopt=False, gaps=gaps)
    streams = boto3.client("dynamodbstreams", region_name="us-east-1", endpoint_url=moto_url)
    shards = streams.describe_stream(StreamArn=facts.stream_arn)["StreamDescription"]["Shards"]
    ours = {"leaseKey": {"S": shards[0]["ShardId"]}}
    dynamodb.put_item(TableName=made.kcl.application_name, Item=ours)
    claim(made, identity(facts, "arn:d"), adopt=False, gaps=gaps)
