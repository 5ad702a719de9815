"""`verify --recheck` reads what `--report` wrote, and says what has become of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.cli.rechecked import print_rechecked, read_report
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError, ExitCode
from kcl_processor.table.recheck import Rechecked, Reported
from kcl_processor.table.repair import Outcome
from kcl_processor.table.sides import Pair
from kcl_processor.transform.rules import Rules
from tests.cli.ask import Ask
from tests.kcl_tables import make_task

VERIFY = ("verify", "--patience", "0")


def test_a_report_is_looked_at_again(ask: Ask, file: Path, tmp_path: Path) -> None:
    """The keys in it alone; what differs still is written to the next report."""
    (task,) = load_tasks(file)
    source, replica = clients.tables(task.source), clients.tables(task.destination)
    for name in ("a", "b"):
        source.put_item(TableName=task.source.table, Item={"pk": {"S": name}})
    report, rest = tmp_path / "report.jsonl", tmp_path / "rest.jsonl"
    assert ask(*VERIFY, "--report", str(report)).code == ExitCode.CRASH
    source.put_item(TableName=task.source.table, Item={"pk": {"S": "c"}})
    replica.put_item(TableName=task.destination.table, Item={"pk": {"S": "a"}})
    again = (*VERIFY, "--recheck", str(report))
    code, out, err = ask(*again, "--report", str(rest))
    assert code == ExitCode.CRASH, err
    assert "1 of 2 are settled" in out
    (left,) = map(json.loads, rest.read_text().splitlines())
    assert (left["kind"], left["key"]) == ("missing", {"pk": {"S": "b"}})
    said = json.loads(ask(*again, "--json").out)
    assert {one["key"]["pk"]["S"]: one["settled"] for one in said["keys"]} == {
        "a": True,
        "b": False,
    }
    assert said["total"] == {"settled": 1, "missing": 1}
    code, out, _ = ask(*again, "--repair")
    assert code == ExitCode.OK and "2 of 2 are settled" in out
    assert ask(*VERIFY, "--recheck", str(rest)).code == ExitCode.OK


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "7",
        '{"kind": "missing", "segment": 1}',
        '{"kind": "missing", "segment": 1, "key": {}}',
        '{"kind": "missing", "segment": 1, "key": "a"}',
        '{"kind": "missing", "segment": "x", "key": {"pk": {"S": "a"}}}',
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, line: str) -> None:
    """By the number of its line, and without what is in it."""
    path = tmp_path / "report.jsonl"
    good = '{"kind": "untraced", "segment": 1, "key": {"pk": {"S": "a"}}, "source_key": null}'
    path.write_text(f"{good}\n")
    assert read_report(path) == [Reported("untraced", Pair(b'{"pk":{"S":"a"}}', None), 1)]
    path.write_text(f"{good}\n{line}\n")
    with pytest.raises(ConfigError, match=r"Line 2 of .* is no difference"):
        read_report(path)


def test_a_file_that_is_not_there_is_told(ask: Ask, tmp_path: Path) -> None:
    """Before anything is read."""
    code, _, err = ask("verify", "--recheck", str(tmp_path / "nowhere"))
    assert code == ExitCode.CONFIG and "cannot be read: No such file" in err


def test_flags_that_a_look_at_parts_or_keys_has_no_use_for_are_refused(ask: Ask) -> None:
    """And a comparison without end needs a pace."""
    code, _, err = ask("verify", "--resume", "--segments", "4")
    assert code == ExitCode.CONFIG and "--resume has segments of its own" in err
    code, _, err = ask("verify", "--continuous")
    assert code == ExitCode.CONFIG and "Try: add --max-rcu 50" in err
    assert ask("verify", "--resume", "--continuous").code == ExitCode.CONFIG


@pytest.mark.parametrize(
    ("now", "outcome", "code"),
    [
        ("settled", None, ExitCode.OK),
        ("changed", None, ExitCode.CRASH),
        ("changed", Outcome.PUT, ExitCode.OK),
        ("changed", Outcome.REFUSED, ExitCode.CRASH),
        ("kept", None, ExitCode.OK),
        ("undecided", None, ExitCode.UNKNOWN),
        ("untraced", Outcome.LEFT, ExitCode.UNKNOWN),
        ("failed", None, ExitCode.UNKNOWN),
    ],
)
def test_an_exit_code_says_what_is_left(now: str, outcome: Outcome | None, code: ExitCode) -> None:
    """As of a whole comparison."""
    one = Rechecked(Reported("missing", Pair(b"{}", b"{}"), 0), now, outcome)
    assert print_rechecked([one], make_task(), as_json=False) == code


def test_collisions_that_are_allowed_are_no_difference() -> None:
    """As of a whole comparison."""
    one = Rechecked(Reported("missing", Pair(b"{}", b"{}"), 0), "colliding")
    task = make_task()
    assert print_rechecked([one], task, as_json=True) == ExitCode.CRASH
    allowed = replace(task, rules=Rules(allow_collisions=True))
    assert print_rechecked([one], allowed, as_json=True) == ExitCode.OK
