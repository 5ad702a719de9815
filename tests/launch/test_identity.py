"""Whose checkpoints a checkpoint table holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from kcl_processor.aws import clients
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError
from kcl_processor.fleet.kcl_tables import make_kcl_tables
from kcl_processor.launch.identity import Identity, claim
from kcl_processor.launch.preflight import check_source
from tests.fakes import HandClock
from tests.kcl_tables import make_source_and_destination, make_task


@pytest.fixture
def made(moto_url: str) -> Task:
    """A task whose tables are there: its own two, and KCL's, which hold nothing."""
    task = make_task(moto_url)
    make_source_and_destination(task)
    make_kcl_tables(task)
    return task


def found(task: Task, destination: str = "arn:d") -> Identity:
    return Identity.found(check_source(task.source), destination)


def claiming(task: Task, state: Path, ours: Identity, *, adopt: bool = False) -> None:
    clock = HandClock()
    claim(TaskFiles(task, state), ours, clock, clock.turn, adopt=adopt)


def test_a_checkpoint_table_of_another_replica_is_refused(made: Task, tmp_path: Path) -> None:
    """Another destination under the same task name is refused with both named, or adopted."""
    one, two = found(made, "arn:one"), found(made, "arn:two")
    claiming(made, tmp_path, one)
    claiming(made, tmp_path, one)
    with pytest.raises(ConfigError, match=r"arn:one.*arn:two"):
        claiming(made, tmp_path, two)
    claiming(made, tmp_path, two, adopt=True)
    claiming(made, tmp_path, two)


@pytest.mark.parametrize("on_gap", ["stop", "continue"])
def test_a_stream_that_was_made_again_is_a_gap(made: Task, tmp_path: Path, on_gap: str) -> None:
    """Checkpoints of an older stream stop the task, unless it goes on over gaps."""
    task, ours = replace(made, on_gap=on_gap), found(made)
    gaps = TaskFiles(task, tmp_path).gaps
    claiming(task, tmp_path, replace(ours, stream="old"))
    if on_gap == "stop":
        with pytest.raises(GapError, match="old"):
            claiming(task, tmp_path, ours)
        assert not gaps.exists()
    claiming(task, tmp_path, ours, adopt=on_gap == "stop")
    (noted,) = map(json.loads, gaps.read_text().splitlines())
    assert noted["checkpoint"] == "old" and noted["to"] in ours.stream + "Z"


def test_a_gap_that_cannot_be_noted_is_not_passed(made: Task, tmp_path: Path) -> None:
    """Going on without a note would be a gap passed in silence."""
    task, ours = replace(made, on_gap="continue"), found(made)
    claiming(task, tmp_path, replace(ours, stream="old"))
    TaskFiles(task, tmp_path).gaps.symlink_to("/dev/full")
    with pytest.raises(GapError, match="cannot be noted"):
        claiming(task, tmp_path, ours)


def test_leases_of_a_foreign_stream_are_refused(made: Task, tmp_path: Path) -> None:
    """A table of leases without an identity is taken only if one is of this stream's shards."""
    ours = found(made)
    streams = boto3.client(
        "dynamodbstreams", region_name="us-east-1", endpoint_url=made.source.endpoint
    )
    shards = streams.describe_stream(StreamArn=ours.stream)["StreamDescription"]["Shards"]

    def lease(shard: str) -> None:
        row: dict[str, Any] = {"leaseKey": {"S": shard}}
        clients.checkpoints(made).put_item(TableName=made.kcl.application_name, Item=row)

    lease("shardId-00000001-foreign")
    with pytest.raises(ConfigError, match="another stream"):
        claiming(made, tmp_path, ours)
    lease(shards[0]["ShardId"])
    claiming(made, tmp_path, ours)
