"""`prepare` shows its calls, and makes them when told."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.task import Side
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask, write_tasks

KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}]


@pytest.fixture
def file(moto_url: str, tmp_path: Path) -> Path:
    """A YAML file of one task whose source is there, without a stream."""
    path = tmp_path / "tasks.yml"
    create(write_tasks(path, moto_url).source, "B")
    return path


def create(side: Side, kind: str) -> None:
    """Create a table with a key of a kind."""
    clients.tables(side).create_table(
        TableName=side.table,
        KeySchema=KEYS,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": kind}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_nothing_is_changed_before_somebody_agrees(ask: Ask, file: Path) -> None:
    """A dry run shows the calls and makes none; --yes makes them; then nothing is left."""
    (task,) = load_tasks(file)
    shown = ask("prepare", "--dry-run")
    assert shown.code == ExitCode.OK
    assert f"UpdateTable on {task.source}, to turn the source's stream on:" in shown.out
    assert f"CreateTable on {task.destination}" in shown.out
    alone = ask("prepare")
    assert alone.code == ExitCode.CONFIG, "nobody agreed to the stream"
    assert "kcl-processor prepare --yes" in alone.err
    agreed = ask("prepare", "--yes")
    assert agreed.code == ExitCode.OK
    assert f"Next: kcl-processor copy {task.name}" in agreed.err
    again = ask("prepare", "--dry-run")
    assert again.code == ExitCode.OK and "nothing to do" in again.out


def test_other_keys_are_refused(ask: Ask, file: Path) -> None:
    """A destination with other keys is named, with both key schemas."""
    create(load_tasks(file)[0].destination, "S")
    code, said, _ = ask("prepare", "--yes")
    assert code == ExitCode.DESTINATION
    assert "KeySchema  pk B HASH  pk S HASH" in said
