"""Making ready, against a moto server."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.task import Side, Task
from kcl_processor.errors import ConfigError, SourceError
from kcl_processor.table import prepare
from kcl_processor.transform.rules import Rules
from tests.fakes import HandClock
from tests.kcl_tables import make_task

KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}]
ATTRIBUTES = [{"AttributeName": "pk", "AttributeType": "B"}]


@pytest.fixture
def task(moto_url: str) -> Task:
    """A task between two regions, none of whose tables is there."""
    name = f"replica-{uuid.uuid4().hex[:8]}"
    return make_task(moto_url, destination=Side("eu-west-1", name, moto_url))


def create_source(task: Task, **changes: Any) -> None:
    """Create the source table, without a stream."""
    clients.tables(task.source).create_table(
        TableName=task.source.table,
        KeySchema=KEYS,
        AttributeDefinitions=ATTRIBUTES,
        BillingMode="PAY_PER_REQUEST",
        **changes,
    )


def carry_out(plan: prepare.Plan) -> None:
    """Make every call of a plan."""
    clock = HandClock()
    for call in ([plan.stream] if plan.stream else []) + plan.destination:
        prepare.make(call, clock, clock.turn)


def test_turns_the_stream_on_and_creates_the_destination(task: Task) -> None:
    """After one prepare there is nothing left to do."""
    create_source(task, Tags=[{"Key": "team", "Value": "x"}])
    carry_out(prepare.plan(task, tags=True))
    source = clients.tables(task.source).describe_table(TableName=task.source.table)["Table"]
    assert source["StreamSpecification"] == {
        "StreamEnabled": True,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    client = clients.tables(task.destination)
    made = client.describe_table(TableName=task.destination.table)["Table"]
    assert (made["KeySchema"], made["AttributeDefinitions"]) == (KEYS, ATTRIBUTES)
    assert "StreamSpecification" not in made
    tags = client.list_tags_of_resource(ResourceArn=made["TableArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "x"}]
    assert prepare.plan(task) == prepare.Plan(None, [], [])


def test_ttl_comes_along_only_when_asked_for(task: Task) -> None:
    """Expiries arrive as deletions, so a replica needs no TTL of its own."""
    create_source(task)
    clients.tables(task.source).update_time_to_live(
        TableName=task.source.table,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"},
    )
    operations = [call.operation for call in prepare.plan(task).destination]
    assert operations == ["CreateTable"]
    carry_out(prepare.plan(task, ttl=True))
    client = clients.tables(task.destination)
    found = client.describe_time_to_live(TableName=task.destination.table)
    assert found["TimeToLiveDescription"]["AttributeName"] == "until"


def test_rules_give_the_keys_their_new_names(task: Task) -> None:
    """And the attribute that items expire by."""
    create_source(task)
    clients.tables(task.source).update_time_to_live(
        TableName=task.source.table,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"},
    )
    task = replace(task, rules=Rules(rename=(("id", "pk"), ("end", "until"))))
    carry_out(prepare.plan(task, ttl=True))
    client = clients.tables(task.destination)
    made = client.describe_table(TableName=task.destination.table)["Table"]
    assert made["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "B"}]
    found = client.describe_time_to_live(TableName=task.destination.table)
    assert found["TimeToLiveDescription"]["AttributeName"] == "end"
    planned = prepare.plan(task)
    assert planned.destination == []
    assert [(part.what, part.fatal) for part in planned.differing] == [("KeySchema", False)]


def test_keys_that_rules_make_are_the_operators_to_create(task: Task) -> None:
    """With the command; nothing is created. A table that is there already is taken."""
    create_source(task)
    task = replace(task, rules=Rules(set=(("pk", "join('#', [pk, 'x'])"),)))
    with pytest.raises(ConfigError, match="do not leave 'pk' as it is") as refused:
        prepare.plan(task)
    assert "aws dynamodb create-table" in refused.value.hint
    clients.tables(task.destination).create_table(
        TableName=task.destination.table,
        KeySchema=KEYS,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert not any(part.fatal for part in prepare.plan(task).differing)
    with pytest.raises(ConfigError, match="no item of the replica has 'pk'"):
        prepare.plan(replace(task, rules=Rules(exclude=("pk",))))


def test_a_stream_without_images_is_left_alone(task: Task) -> None:
    """A stream is never turned off or made anew: its reader may be somebody else."""
    create_source(task, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    with pytest.raises(SourceError, match="KEYS_ONLY"):
        prepare.plan(task)
