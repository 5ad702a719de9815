"""The other direction of a task is a task, with both sides as they were written."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError
from kcl_processor.operate.reversal import reversed_yaml

WHOLE = """tasks:
  others:
    source: {region: us-east-1, table: a}
    destination: {region: us-east-1, table: b}
  orders:
    source:
      region: us-east-1
      table: orders
      streams_endpoint: http://127.0.0.1:1
      endpoint: http://127.0.0.1:2
      roles: [{role_arn: "arn:aws:iam::123456789012:role/hub", external_id: "0123"}]
    destination: {region: eu-west-1, table: orders-2, profile: store}
    checkpoint_seconds: 7
    kcl:
      region: us-west-2
      application_name: Ours
      properties: {failoverTimeMillis: 20000, coordinatorStateTableName: Named}
    on_poison: dead-letter
"""


def both(path: Path, text: str, name: str | None = None) -> tuple[Task, Task]:
    """A file's task, and the one in its other direction."""
    path.write_text(text)
    forward = next(task for task in load_tasks(path) if name in (None, task.name))
    back = path.with_name("back.yml")
    back.write_text(reversed_yaml(path, forward))
    (backward,) = load_tasks(back)
    return forward, backward


def test_both_sides_change_places(tmp_path: Path) -> None:
    """With their endpoints and credentials; the stream's endpoint was the old source's."""
    forward, back = both(tmp_path / "tasks.yml", WHOLE, "orders")
    assert back.name == "orders-reverse"
    assert (back.source.table, back.source.region) == ("orders-2", "eu-west-1")
    assert back.source.access == forward.destination.access
    assert back.source.stream_arn is back.source.streams_endpoint is None
    assert back.destination.place == forward.source.place
    assert back.destination.access.roles[0].external_id == "0123"
    assert (back.checkpoint_seconds, back.on_poison) == (7, "dead-letter")


def test_no_table_of_kcls_is_shared(tmp_path: Path) -> None:
    """Each would skip what the other has read."""
    forward, back = both(tmp_path / "tasks.yml", WHOLE, "orders")
    assert back.kcl.application_name == "DynamoDBCrossRegionReplicationorders-reverse"
    assert dict(back.kcl.properties) == {"failoverTimeMillis": "20000"}
    assert (back.kcl.region, forward.kcl.application_name) == ("us-west-2", "Ours")


def test_a_task_in_a_list_is_found_by_its_place(tmp_path: Path) -> None:
    """It may have no name, and KCL's tables may be all that its kcl section names."""
    text = """tasks:
  - source: {region: us-east-1, table: a}
    destination: {region: us-east-1, table: b}
    kcl: {application_name: Ours}
"""
    forward, back = both(tmp_path / "tasks.yml", text)
    assert back.name == f"{forward.name}-reverse"
    assert back.kcl.application_name == f"DynamoDBCrossRegionReplication{back.name}"
    assert (back.source.table, back.destination.table) == ("b", "a")


@pytest.mark.parametrize("source", ["", "source: {<<: *east, table: a}"])
def test_what_a_task_takes_over_is_its_own(tmp_path: Path, source: str) -> None:
    """A side that is written once, for several tasks, changes places like any other."""
    text = f"""x-both: &both
  source: &east {{region: us-east-1, table: shared, streams_endpoint: "http://127.0.0.1:1"}}
  kcl: {{application_name: Ours, region: us-west-2}}
tasks:
  orders:
    <<: *both
    {source}
    destination: {{region: eu-west-1, table: b}}
"""
    forward, back = both(tmp_path / "tasks.yml", text)
    assert back.destination.place == forward.source.place
    assert (back.source.table, back.kcl.region) == ("b", "us-west-2")
    assert back.kcl.application_name == f"DynamoDBCrossRegionReplication{back.name}"
    assert "streams_endpoint" not in (tmp_path / "back.yml").read_text()


@pytest.mark.parametrize("rules", ["ttl_deletes: skip", "transform: {exclude: [card]}"])
def test_rules_have_no_other_direction(tmp_path: Path, rules: str) -> None:
    """What they leave out is not at the destination."""
    path = tmp_path / "tasks.yml"
    with pytest.raises(ConfigError, match=f"has {rules.split(': {')[0]}"):
        both(path, WHOLE + f"    {rules}\n", "orders")
