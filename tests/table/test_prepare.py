"""Making ready, against a moto server."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from kcl_processor import cli
from kcl_processor.aws import clients
from kcl_processor.config.task import Kcl, Side, Source, Task
from kcl_processor.errors import ExitCode, SourceError
from kcl_processor.table import prepare
from tests.fakes import HandClock

KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}]
ATTRIBUTES = [{"AttributeName": "pk", "AttributeType": "B"}]


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> Iterator[Task]:
    """A task whose source and destination are one moto server's tables of two regions."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer(port=0)
    server.start()
    _, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()
    yield Task(
        name="orders",
        source=Source("us-east-1", "orders", url),
        destination=Side("eu-west-1", "replica", url),
        kcl=Kcl("us-east-1", url, "DynamoDBCrossRegionReplicationorders", "worker"),
    )
    server.stop()


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
        prepare.carry_out(call, clock, clock.turn)


def test_turns_the_stream_on_and_creates_the_destination(task: Task) -> None:
    """After one prepare there is nothing left to do."""
    create_source(task, Tags=[{"Key": "team", "Value": "x"}])
    carry_out(prepare.plan(task, tags=True))
    source = clients.tables(task.source).describe_table(TableName="orders")["Table"]
    assert source["StreamSpecification"] == {
        "StreamEnabled": True,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    client = clients.tables(task.destination)
    made = client.describe_table(TableName="replica")["Table"]
    assert (made["KeySchema"], made["AttributeDefinitions"]) == (KEYS, ATTRIBUTES)
    assert "StreamSpecification" not in made
    tags = client.list_tags_of_resource(ResourceArn=made["TableArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "x"}]
    assert prepare.plan(task) == prepare.Plan(None, [], [])


def test_ttl_comes_along_only_when_asked_for(task: Task) -> None:
    """Expiries arrive as deletions, so a replica needs no TTL of its own."""
    create_source(task)
    clients.tables(task.source).update_time_to_live(
        TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    operations = [call.operation for call in prepare.plan(task).destination]
    assert operations == ["CreateTable"]
    carry_out(prepare.plan(task, ttl=True))
    found = clients.tables(task.destination).describe_time_to_live(TableName="replica")
    assert found["TimeToLiveDescription"]["AttributeName"] == "until"


def test_a_stream_without_images_is_left_alone(task: Task) -> None:
    """A stream is never turned off or made anew: its reader may be somebody else."""
    create_source(task, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    with pytest.raises(SourceError, match="KEYS_ONLY"):
        prepare.plan(task)


CONFIG = """\
tasks:
  orders:
    source: {{region: us-east-1, table: orders, endpoint: "{url}"}}
    destination: {{region: eu-west-1, table: replica, endpoint: "{url}"}}
"""


def run(config: Path, *arguments: str) -> int:
    """Run ``kcl-processor prepare`` in this process and return its exit code."""
    with pytest.raises(SystemExit) as exited:
        cli.main(["prepare", "-c", str(config), *arguments])
    return int(exited.value.code or 0)


def test_command(task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run shows the calls and makes none; --yes makes them; then nothing is left."""
    create_source(task)
    config = tmp_path / "tasks.yml"
    config.write_text(CONFIG.format(url=task.source.endpoint))
    assert run(config, "--dry-run") == ExitCode.OK
    shown = capsys.readouterr().out
    assert "UpdateTable on orders in us-east-1, to turn the source's stream on:" in shown
    assert "CreateTable on replica in eu-west-1" in shown
    assert run(config) == ExitCode.CONFIG, "nobody agreed to the stream"
    assert "kcl-processor prepare --yes" in capsys.readouterr().err
    assert run(config, "--yes") == ExitCode.OK
    assert "Next: kcl-processor copy orders" in capsys.readouterr().err
    assert run(config, "--dry-run") == ExitCode.OK
    assert "nothing to do" in capsys.readouterr().out


def test_command_refuses_other_keys(
    task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A destination with other keys is named, with both key schemas."""
    create_source(task)
    clients.tables(task.destination).create_table(
        TableName="replica",
        KeySchema=KEYS,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    config = tmp_path / "tasks.yml"
    config.write_text(CONFIG.format(url=task.source.endpoint))
    assert run(config, "--yes") == ExitCode.DESTINATION
    assert "KeySchema  pk B HASH  pk S HASH" in capsys.readouterr().out
