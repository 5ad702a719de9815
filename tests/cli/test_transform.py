"""`transform` shows what a task's rules make of items."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask

RULES = """\
    transform:
      where: "total > `1`"
      exclude: [card]
      rename: {who: name}
      set: {first: "lines[0]"}
"""


@pytest.fixture
def source(file: Path, moto_url: str) -> Any:
    """The source table, of a task that has rules."""
    file.write_text(file.read_text() + RULES)
    (task,) = load_tasks(file)
    tables = boto3.resource("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    return tables.Table(task.source.table)


def test_items_of_the_source_are_shown_before_and_after(ask: Ask, source: Any) -> None:
    """Side by side, by attribute; a text that could move the cursor is only told."""
    source.put_item(
        Item={"pk": "a", "total": 2, "card": "4111", "name": "b\x1b[2J\x9b", "lines": [{"n": 1}]}
    )
    source.put_item(Item={"pk": "b", "total": 1})
    code, said, told = ask("transform", "--sample", "5")
    assert code == 0 and "2 items:" in told and "1 not in the replica" in told
    one = next(part for part in said.split("\n\n") if part.startswith('pk="a"'))
    assert (
        one.splitlines()
        == [
            'pk="a"',
            "ATTRIBUTE  BEFORE                             AFTER",
            'card       "4111"                             -',
            'first      -                                  {"M": {"n": {"N": "1"}}}',
            'lines      {"L": [{"M": {"n": {"N": "1"}}}]}  {"L": [{"M": {"n": {"N": "1"}}}]}',
            r'name       "b\u001b[2J\u009b"                 -',
            'pk         "a"                                "a"',
            "total      2                                  2",
            r'who        -                                  "b\u001b[2J\u009b"',
        ]
        or one
    )
    assert 'pk="b"\nnot in the replica\n' in said


def test_a_sample_is_no_more_than_was_asked_for(ask: Ask, source: Any) -> None:
    """Nor more than there is."""
    for number in range(3):
        source.put_item(Item={"pk": str(number), "total": 2})
    assert len(json.loads(ask("transform", "--sample", "2", "--json").out)) == 2
    assert len(json.loads(ask("transform", "--json").out)) == 3


def test_an_item_of_ones_own_is_shown(
    ask: Ask, source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file or stdin; in DynamoDB's JSON, whichever way it was written."""
    assert source
    path = tmp_path / "item.json"
    path.write_text('{"pk": "a", "total": 1.50, "card": "4111"}')
    (shown,) = json.loads(ask("transform", "--item", str(path), "--json").out)
    assert shown == {
        "key": {"pk": {"S": "a"}},
        "before": {"pk": {"S": "a"}, "total": {"N": "1.5"}, "card": {"S": "4111"}},
        "after": {"pk": {"S": "a"}, "total": {"N": "1.5"}},
        "fault": None,
    }
    monkeypatch.setattr("sys.stdin", io.StringIO('{"pk": {"S": "a"}, "total": {"N": "1.50"}}'))
    (typed,) = json.loads(ask("transform", "--item", "-", "--json").out)
    assert typed["after"] == shown["after"]


def test_a_rule_that_fails_is_told_and_is_no_success(ask: Ask, source: Any, file: Path) -> None:
    """With the rule; the other items are shown."""
    file.write_text(file.read_text() + "      python: a_package_of_nobody:flatten\n")
    code, _, told = ask("transform")
    assert code == ExitCode.CONFIG and "a_package_of_nobody" in told
    file.write_text(file.read_text().replace("a_package_of_nobody:flatten", "operator:truediv"))
    source.put_item(Item={"pk": "a", "total": 2})
    code, said, told = ask("transform")
    assert code == ExitCode.CRASH and "1 for which a rule fails" in told
    assert "fails: transform.python: TypeError" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be used: it is no JSON"),
        ('{"total": 1}', "The item has no 'pk' of type S"),
        ('{"pk": 1}', "The item has no 'pk' of type S"),
        (None, "cannot be read"),
    ],
)
def test_an_item_that_is_none_is_refused(
    ask: Ask, source: Any, tmp_path: Path, text: str | None, said: str
) -> None:
    """Nothing is made of it."""
    assert source
    path = tmp_path / "item.json"
    if text is not None:
        path.write_text(text)
    code, out, told = ask("transform", "--item", str(path))
    assert (code, out) == (ExitCode.CONFIG, "") and said in told


def test_a_task_without_rules_has_nothing_to_show(ask: Ask) -> None:
    """It is told where rules stand."""
    code, _, told = ask("transform")
    assert code == ExitCode.CONFIG and "has no rules" in told and "transform" in told


def test_rules_can_be_tried_before_there_is_a_destination(
    ask: Ask, source: Any, file: Path
) -> None:
    """What is not looked at then is told; what nobody can read is an error."""
    source.put_item(Item={"pk": "a", "total": 2})
    replica = f"{source.name}-replica"
    source.meta.client.delete_table(TableName=replica)
    code, said, told = ask("transform", "--json")
    assert code == 0 and json.loads(said)[0]["after"] == {"pk": {"S": "a"}, "total": {"N": "2"}}
    assert replica in told and "is not looked at" in told
    source.delete()
    assert ask("transform").code == ExitCode.SOURCE
    assert file.exists()


def test_rules_that_cannot_be_are_refused(ask: Ask, source: Any, file: Path) -> None:
    """As everywhere."""
    assert source
    file.write_text(file.read_text().replace("exclude: [card]", "exclude: [pk]"))
    code, _, told = ask("transform")
    assert code == ExitCode.CONFIG and "no item of the replica has 'pk'" in told


def test_a_long_value_is_cut_on_a_terminal_alone(
    ask: Ask, source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a line is a row."""
    source.put_item(Item={"pk": "a", "total": 2, "long": "x" * 100})
    assert "x" * 100 in ask("transform").out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    shown = ask("transform").out
    assert f'"{"x" * 23}…' in shown and max(map(len, shown.splitlines())) <= 80


def test_what_a_rule_prints_is_no_part_of_the_result(ask: Ask, source: Any, file: Path) -> None:
    """A program reads the JSON."""
    file.write_text(file.read_text() + "      python: builtins:print\n")
    source.put_item(Item={"pk": "a", "total": 2})
    _, said, told = ask("transform", "--json")
    assert json.loads(said)[0]["after"] is None and "ItemChange" in told
