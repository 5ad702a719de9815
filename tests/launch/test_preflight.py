"""What run checks before it starts: each failure says what, where, and what to type."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

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
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.launch.identity import claim, identity
from kcl_processor.launch.preflight import check_destination, check_source

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.fixture
def dynamodb(moto_url: str) -> Any:
    return boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)


def table(dynamodb: Any, key: str = "pk", kind: str = "S", **options: Any) -> str:
    name = f"t-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind}],
        BillingMode="PAY_PER_REQUEST",
        **options,
    )
    return name


def source(moto_url: str, name: str, **options: Any) -> Source:
    return Source("us-east-1", name, moto_url, **options)


def task(moto_url: str, name: str, **options: Any) -> Task:
    side = source(moto_url, name)
    kcl = Kcl("us-east-1", moto_url, f"App-{uuid.uuid4().hex[:8]}", "worker")
    return Task("task", side, Side("us-east-1", f"{name}-2", moto_url), kcl, **options)


def test_a_source_with_both_images_passes(moto_url: str, dynamodb: Any) -> None:
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
def test_a_stream_that_cannot_be_replicated_names_the_cure(
    moto_url: str, dynamodb: Any, options: dict[str, Any], says: str
) -> None:
    """No stream, or one without images: the error holds the command that turns it on."""
    with pytest.raises(SourceError, match=says) as raised:
        check_source(source(moto_url, table(dynamodb, **options)))
    assert "aws dynamodb update-table" in raised.value.hint


def test_a_missing_source_is_named(moto_url: str) -> None:
    """A typing error in a table's name is told with table and region."""
    with pytest.raises(SourceError, match="nothing-here in us-east-1"):
        check_source(source(moto_url, "nothing-here"))


def test_another_stream_than_the_tasks_is_refused(moto_url: str, dynamodb: Any) -> None:
    """A task that names a stream does not go on with another one."""
    name = table(dynamodb, StreamSpecification=STREAM)
    with pytest.raises(SourceError, match="turned off and on again"):
        check_source(source(moto_url, name, stream_arn="arn:old"))


@pytest.mark.parametrize("other", [{"key": "id"}, {"kind": "N"}])
def test_a_destination_with_other_keys_is_refused(
    moto_url: str, dynamodb: Any, other: dict[str, str]
) -> None:
    """Other key names or types are named on both sides."""
    destination = Side("us-east-1", table(dynamodb, **other), moto_url)
    with pytest.raises(DestinationError, match="pk S HASH"):
        check_destination(destination, {"pk": ("HASH", "S")})


def test_a_missing_destination_names_the_command_that_makes_it(moto_url: str) -> None:
    """prepare creates it."""
    with pytest.raises(DestinationError) as raised:
        check_destination(Side("us-east-1", "nothing-here", moto_url), {})
    assert "kcl-processor prepare" in raised.value.hint


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    """The error is one line about the endpoint, and worth a restart: an outage may pass."""
    with pytest.raises(OperatorError, match=r"127\.0\.0\.1:9") as raised:
        check_source(source("http://127.0.0.1:9", "t"))
    assert raised.value.exit_code == ExitCode.CRASH


@pytest.fixture
def gaps(tmp_path: Path) -> Path:
    return tmp_path / "state" / "gaps.jsonl"


def test_a_checkpoint_table_of_another_replica_is_refused(
    moto_url: str, dynamodb: Any, gaps: Path
) -> None:
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
def test_a_stream_that_was_made_again_is_a_gap(
    moto_url: str, dynamodb: Any, gaps: Path, on_gap: str, *, stops: bool
) -> None:
    """Checkpoints of an older stream stop the task, unless it goes on over gaps."""
    made = task(moto_url, table(dynamodb, StreamSpecification=STREAM), on_gap=on_gap)
    make_kcl_tables(made)
    facts = check_source(made.source)
    claim(
        made, identity(facts.__class__(facts.table_arn, "old", {}), "arn:d"), adopt=False, gaps=gaps
    )
    if stops:
        with pytest.raises(GapError, match="old"):
            claim(made, identity(facts, "arn:d"), adopt=False, gaps=gaps)
        assert not gaps.exists()
    claim(made, identity(facts, "arn:d"), adopt=stops, gaps=gaps)
    (noted,) = map(json.loads, gaps.read_text().splitlines())
    assert noted["checkpoint"] == "old" and noted["to"] in facts.stream_arn + "Z"


def test_a_gap_that_cannot_be_noted_is_not_passed(
    moto_url: str, dynamodb: Any, tmp_path: Path
) -> None:
    """Going on without a note would be a gap passed in silence."""
    made = task(moto_url, table(dynamodb, StreamSpecification=STREAM), on_gap="continue")
    make_kcl_tables(made)
    facts = check_source(made.source)
    old = identity(facts.__class__(facts.table_arn, "old", {}), "arn:d")
    claim(made, old, adopt=False, gaps=tmp_path / "gaps")
    with pytest.raises(GapError, match="cannot be noted"):
        claim(made, identity(facts, "arn:d"), adopt=False, gaps=Path("/dev/full"))


def test_leases_of_a_foreign_stream_are_refused(moto_url: str, dynamodb: Any, gaps: Path) -> None:
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
