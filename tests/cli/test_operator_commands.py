"""The operator's commands from their command line, against a moto server."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Protocol

import pytest

from kcl_processor.cli import main, with_action
from kcl_processor.config.yaml_file import load_tasks
from tests.kcl_tables import fill, make_source_and_destination, rows_in, snapshot


class Ask(Protocol):
    """Runs a command; gives its exit code and what it printed."""

    def __call__(self, command: str, *words: str) -> tuple[int, str]: ...


@pytest.fixture
def file(moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A YAML file of one task whose source and destination are there."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    path = tmp_path / "tasks.yml"
    path.write_text(
        f"""tasks:
  {name}:
    source: {{region: us-east-1, table: {name}, endpoint: "{moto_url}"}}
    destination: {{region: us-east-1, table: {name}-replica, endpoint: "{moto_url}"}}
    metrics: {{endpoint: "{moto_url}"}}
"""
    )
    make_source_and_destination(load_tasks(path)[0])
    monkeypatch.setenv("KCL_PROCESSOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    return path


@pytest.fixture
def ask(file: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command; its exit code and what it printed."""

    def run(command: str, *words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([command, "-c", str(file), *words])
        return int(ended.value.code or 0), capsys.readouterr().out

    return run


def test_a_task_that_never_ran_is_new(ask: Ask) -> None:
    """Exit code 3, as for one that is stopped, and every reading command still answers."""
    code, said = ask("status", "--json")
    assert code == 3 and json.loads(said)[0]["state"] == "new"
    assert ask("leases")[0] == 3
    code, said = ask("health", "--local", "--json")
    assert code == 1 and not json.loads(said)["healthy"]


@pytest.mark.parametrize("role", ["source", "kcl", "destination"])
def test_policies_are_json_or_terraform(ask: Ask, role: str) -> None:
    """Both name the task's own tables."""
    code, said = ask("iam", "--role", role)
    assert code == 0 and json.loads(said)["Version"] == "2012-10-17"
    code, said = ask("iam", "--role", role, "--terraform")
    assert code == 0 and said.startswith('resource "aws_iam_policy"')


def test_policies_over_a_border(ask: Ask) -> None:
    """A resource policy for each resource, a trust policy for a role; KCL's tables stay home."""
    who = "arn:aws:iam::444455556666:role/daemon"
    code, said = ask("iam", "--role", "source", "--kind", "resource", "--principal", who)
    assert code == 0 and len(json.loads(said)) == 2
    code, said = ask("iam", "--role", "destination", "--kind", "trust")
    assert code == 0 and "sts:AssumeRole" in said
    assert ask("iam", "--role", "kcl", "--kind", "trust")[0] == 2


def test_dashboard_alarms_and_size_are_printed(ask: Ask) -> None:
    """JSON where JSON is promised, a table where a person reads."""
    assert json.loads(ask("dashboard")[1])["widgets"]
    assert json.loads(ask("dashboard", "--alarms")[1])[0]["AlarmName"]
    code, said = ask("size")
    assert code == 0 and "1 shards + 1 Java" in said
    assert json.loads(ask("size", "--shards", "9", "--json")[1])[1]["value"] == 2


def test_uninstall_lists_first_and_deletes_when_told(ask: Ask, file: Path) -> None:
    """Without --yes everything stays."""
    task = load_tasks(file)[0]
    client = fill(task, [])
    assert "3 not deleted" in ask("uninstall")[1]
    assert rows_in(client, task.kcl.application_name) == []


def test_a_reset_without_yes_changes_nothing(ask: Ask, file: Path) -> None:
    """It prints what it would do and what to type."""
    task = load_tasks(file)[0]
    client = fill(task, *snapshot("two-workers"))
    code, said = ask("leases", "reset", "--to", "latest")
    assert code == 0 and said.count("LATEST") == 5 and "Try: --yes" in said
    assert (
        len([row for row in rows_in(client, task.kcl.application_name) if "leaseOwner" in row]) == 8
    )


@pytest.mark.parametrize(
    "words", [("reset", "--to", "17"), ("reset", "a", "b"), ("restore",), ("reset", "--to", "soon")]
)
def test_words_that_make_no_sense_touch_nothing(ask: Ask, words: tuple[str, ...]) -> None:
    """Exit code 2."""
    assert ask("leases", *words)[0] == 2


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("leases", "leases show"),
        ("leases orders --wide", "leases show orders --wide"),
        ("leases -c reset --tree", "leases show -c reset --tree"),
        ("leases reset -c FILE orders --yes", "leases reset -c FILE orders --yes"),
        ("leases -c FILE --yes restore saved.json", "leases restore -c FILE --yes saved.json"),
        ("leases show reset", "leases show reset"),
        ("leases --help", "leases --help"),
        ("status -c FILE", "status -c FILE"),
    ],
)
def test_the_action_of_leases_may_stand_anywhere(typed: str, meant: str) -> None:
    """Options and the task stand before it or behind it; without one, leases shows."""
    assert with_action(typed.split()) == meant.split()


def test_the_tree_and_the_filters_are_offered(ask: Ask) -> None:
    """Every way of showing works on a table without rows, too."""
    for words in (["--tree"], ["--open", "--wide"], ["--owner", "x"], ["--no-wait", "--json"]):
        assert ask("leases", *words)[0] == 3
