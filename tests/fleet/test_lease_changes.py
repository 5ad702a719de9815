"""Rows of the lease table are saved before they change, and change only as they were read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.fleet import lease_changes
from tests.kcl_tables import fill, make_task, rows_in, snapshot

ROWS, _, _ = snapshot("two-workers")


def test_saved_rows_belong_to_their_task(tmp_path: Path) -> None:
    """Another task's rows are refused, and so is a file that is there already."""
    lease_changes.save(tmp_path / "saved.json", make_task(), ROWS)
    with pytest.raises(ConfigError, match="holds rows of"):
        lease_changes.load(tmp_path / "saved.json", make_task())
    with pytest.raises(ConfigError, match="cannot be written"):
        lease_changes.save(tmp_path / "saved.json", make_task(), ROWS)


def test_two_workers_may_set_rows_aside_in_one_second(moto_url: str, tmp_path: Path) -> None:
    """A supervisor starts them together; each saves what it takes away."""
    task = make_task(moto_url)
    client = fill(task, ROWS)
    files = TaskFiles(task, tmp_path)
    saved = [lease_changes.set_aside(files, [row], 1000.4) for row in ROWS[:2]]
    assert [lease_changes.load(path, task) for path in saved if path] == [[row] for row in ROWS[:2]]
    assert sorted(files.every_saved_leases()) == sorted(path for path in saved if path)
    assert len(rows_in(client, task.kcl.application_name)) == len(ROWS) - 2


def test_rows_that_another_has_set_aside_are_gone(moto_url: str, tmp_path: Path) -> None:
    """Both have read them before; so does a call whose answer was lost find them."""
    task = make_task(moto_url)
    client = fill(task, ROWS)
    for _ in range(2):
        assert lease_changes.set_aside(TaskFiles(task, tmp_path), ROWS, 1000.4)
    assert rows_in(client, task.kcl.application_name) == []


def test_a_full_disk_is_worth_another_start(
    moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that follows a new stream is a supervisor's; until there is room nothing goes."""
    task = make_task(moto_url)
    client = fill(task, ROWS)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OperatorError) as raised:
        lease_changes.set_aside(TaskFiles(task, tmp_path), ROWS, 1000.4)
    assert raised.value.exit_code == ExitCode.CRASH and "No space left" in raised.value.message
    assert len(rows_in(client, task.kcl.application_name)) == len(ROWS)
    assert not list(tmp_path.iterdir())


def test_a_row_that_changed_is_left_alone(moto_url: str) -> None:
    """A counter that grew since it was read refuses the write."""
    task = make_task(moto_url)
    client = fill(task, ROWS)
    steps = [lease_changes.Step("a shard", row, None) for row in ROWS]
    renewed = {**ROWS[0], "leaseCounter": {"N": "999"}}
    client.put_item(TableName=task.kcl.application_name, Item=renewed)
    with pytest.raises(OperatorError, match="ConditionalCheckFailed"):
        lease_changes.apply(client, task.kcl.application_name, steps)
