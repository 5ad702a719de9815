"""A report that goes on with an earlier run's, and what is told beside it."""

from __future__ import annotations

import json
from pathlib import Path

from kcl_processor.aws import clients
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask


def test_a_run_that_goes_on_adds_to_what_was_reported(ask: Ask, file: Path, tmp_path: Path) -> None:
    """A run of its own begins the report anew, and so would lose what the other has found."""
    (task,) = load_tasks(file)
    clients.tables(task.source).put_item(TableName=task.source.table, Item={"pk": {"S": "a"}})
    report = tmp_path / "report.jsonl"
    words = ("verify", "--patience", "0", "--report", str(report))
    for runs in (1, 2):
        code, _, told = ask(*words, "--resume")
        assert code == ExitCode.CRASH, told
        assert "not proven" in told
        assert len(report.read_text().splitlines()) == runs
    ask(*words)
    (line,) = map(json.loads, report.read_text().splitlines())
    assert line["key"] == {"pk": {"S": "a"}}
