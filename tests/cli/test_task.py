"""The task that a command is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask, Said

TWO = """\
tasks:
  orders: {source: {region: a, table: b}, destination: {region: c, table: d}}
  users: {source: {region: a, table: e}, destination: {region: c, table: f}}
"""


def size(ask: Ask, *words: str) -> Said:
    """A command of one task that asks no service."""
    return ask("size", "--shards", "1", *words)


def test_one_task_needs_no_name(ask: Ask, file: Path) -> None:
    """A wrong name is refused all the same."""
    (task,) = load_tasks(file)
    assert size(ask).code == size(ask, task.name).code == ExitCode.OK
    assert size(ask, "nobody").code == ExitCode.CONFIG


def test_several_tasks_need_one(ask: Ask, file: Path) -> None:
    """The names are the hint."""
    file.write_text(TWO)
    code, _, err = size(ask)
    assert code == ExitCode.CONFIG and "orders" in err and "users" in err
    assert size(ask, "users").code == ExitCode.OK


def test_the_environment_names_the_file(
    ask: Ask, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """-c comes before it."""
    monkeypatch.setenv("KCL_PROCESSOR_CONFIG", str(file))
    assert size(ask).code == ExitCode.OK
    monkeypatch.setenv("KCL_PROCESSOR_CONFIG", str(file.with_name("nothing.yml")))
    assert size(ask).code == ExitCode.CONFIG
    assert size(ask, "-c", str(file)).code == ExitCode.OK
