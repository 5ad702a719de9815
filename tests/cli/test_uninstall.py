"""`uninstall` lists what is to be deleted."""

from __future__ import annotations

import json
from pathlib import Path

from kcl_processor.config.yaml_file import load_tasks
from tests.cli.ask import Ask
from tests.kcl_tables import fill, rows_in


def test_without_yes_everything_stays(ask: Ask, file: Path) -> None:
    """It lists what it would delete."""
    task = load_tasks(file)[0]
    client = fill(task, [])
    assert "3 not deleted" in ask("uninstall").out
    assert [row["kind"] for row in json.loads(ask("uninstall", "--json").out)] == ["table"] * 3
    assert rows_in(client, task.kcl.application_name) == []


def test_where_nothing_is_left_nothing_is_advised(ask: Ask) -> None:
    assert ask("uninstall").out.splitlines()[-1] == "0 deleted."
