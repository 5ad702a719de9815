"""`replay` applies what was set aside, and says what became of it."""

from __future__ import annotations

import json
from pathlib import Path

from kcl_processor.aws import clients
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask


def test_a_letter_is_applied_once(ask: Ask, file: Path, tmp_path: Path) -> None:
    """A second run finds nothing left to do."""
    (task,) = load_tasks(file)
    item = {"pk": {"S": "a"}, "n": {"N": "1"}}
    clients.tables(task.source).put_item(TableName=task.source.table, Item=item)
    letter = {"shardId": "s", "sequenceNumber": "7", "key": {"pk": {"S": "a"}}, "image": item}
    place = tmp_path / "letters.jsonl"
    place.write_text(json.dumps(letter) + "\n")
    code, said, _ = ask("replay", "--from", str(place), "--json")
    assert code == ExitCode.OK
    assert json.loads(said) == {"applied": 1, "changed": 0, "refused": 0}
    rows = clients.tables(task.destination).scan(TableName=task.destination.table)["Items"]
    assert rows == [item]
    again = ask("replay", "--from", str(place), "--json").out
    assert sum(json.loads(again).values()) == 0
