"""`run` takes a task from one place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.paths import RENDERED, TaskFiles
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask
from tests.kclpy import InstalledKclpy


def test_a_task_of_a_file_and_flags_contradict_each_other(ask: Ask, file: Path) -> None:
    """Nothing is started, and both are named."""
    (task,) = load_tasks(file)
    code, _, err = ask("run", task.name, "--sourceTable", "other")
    assert code == ExitCode.CONFIG
    assert task.name in err and "--sourceTable" in err


def test_nothing_is_made_for_a_destination_that_is_not_there(ask: Ask, file: Path) -> None:
    """KCL's tables come after the checks."""
    (task,) = load_tasks(file)
    client = clients.tables(task.destination)
    client.delete_table(TableName=task.destination.table)
    code, _, err = ask("run")
    assert code == ExitCode.DESTINATION and task.destination.table in err
    (status,) = json.loads(ask("status", "--json").out)
    assert status["endings"][0]["code"] == ExitCode.DESTINATION, "its reason is not lost"
    assert task.destination.table in status["endings"][0]["reason"]
    pages = client.get_paginator("list_tables").paginate()
    names = {name for page in pages for name in page["TableNames"]}
    assert not {name for name in names if name.startswith(task.kcl.application_name)}


def mistype_queue(file: Path, url: str) -> str:
    """Have the file's task set dead letters aside in a queue that is not there; its URL."""
    queue = f"{url}/123456789012/nothing-here"
    file.write_text(file.read_text() + f'    on_poison: dead-letter\n    dead_letters: "{queue}"\n')
    return queue


@pytest.mark.parametrize(
    "command", ["run --java /not/there", "copy", "start --yes --java /not/there"]
)
def test_nothing_begins_with_a_queue_that_is_not_there(
    ask: Ask, file: Path, moto_url: str, command: str
) -> None:
    """The first letter would find it out, in the midst of it all."""
    queue = mistype_queue(file, moto_url)
    code, _, err = ask(*command.split())
    assert code == ExitCode.CONFIG and queue in err and "Try: dead_letters" in err
    (task,) = load_tasks(file)
    pages = clients.tables(task.destination).get_paginator("list_tables").paginate()
    names = {name for page in pages for name in page["TableNames"]}
    assert not {name for name in names if name.startswith(task.kcl.application_name)}


@pytest.mark.parametrize("worker", ["a b", "../w", "*"])
def test_a_worker_id_on_the_command_line_is_checked(ask: Ask, worker: str) -> None:
    """It names files and a word of the record processors' command, as one of the file does."""
    code, _, err = ask("run", "--workerId", worker)
    assert code == ExitCode.CONFIG and "cannot be a worker id" in err


def test_a_first_start_says_what_the_stream_does_not_hold(ask: Ask, tmp_path: Path) -> None:
    """A replica that lacks what was there before looks like one that is whole: it has no lag."""
    code, _, err = ask("run", "--log-dir", str(tmp_path), "--java", str(tmp_path / "none"))
    assert code == ExitCode.CONFIG and "no Java" in err
    assert "has no checkpoints and no copy" in err and "copy --live" in err


def test_that_a_worker_was_killed_is_told_behind_its_next_start(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """A supervisor starts it again within a second, and whoever looks later looks behind that."""
    (task,) = load_tasks(file)
    start = "run", "--log-dir", str(tmp_path), "--java", str(tmp_path / "none")
    ask(*start)
    (TaskFiles(task, tmp_path / "state").worker / f"killed{RENDERED}").write_text("")
    (seen,) = [one for one in json.loads(ask("events", "--json").out) if one["what"] == "died"]
    for _ in range(2):
        ask(*start)
        (kept,) = [one for one in json.loads(ask("events", "--json").out) if one["what"] == "died"]
        assert kept == {**seen, "at": pytest.approx(seen["at"], abs=0.001)}


@pytest.mark.parametrize(
    ("on_gap", "code"),
    [
        ("stop", ExitCode.SOURCE),
        ("continue", ExitCode.CRASH),
        ("heal\n    heal_bucket: changes", ExitCode.CRASH),
    ],
)
def test_a_stream_that_is_off_is_waited_for_if_gaps_are_passed(
    ask: Ask, file: Path, on_gap: str, code: ExitCode
) -> None:
    """The daemon that reads its stream to the end is started again before a new one is there."""
    file.write_text(file.read_text() + f"    on_gap: {on_gap}\n")
    (task,) = load_tasks(file)
    clients.tables(task.source).update_table(
        TableName=task.source.table, StreamSpecification={"StreamEnabled": False}
    )
    asked = ask("run")
    assert asked.code == code and "is off" in asked.err


@pytest.mark.parametrize("command", ["run --java /not/there", "start --yes --java /not/there"])
def test_nothing_begins_with_a_jar_that_is_none(
    ask: Ask, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """It is named, with what brings another, before a table is made or an item is copied."""
    path = InstalledKclpy(tmp_path / "installed", monkeypatch).damage("amazon-kinesis-client")
    code, _, err = ask(*command.split())
    assert code == ExitCode.CONFIG and str(path) in err and "Try: pip cache remove" in err
    (task,) = load_tasks(file)
    pages = clients.tables(task.destination).get_paginator("list_tables").paginate()
    names = {name for page in pages for name in page["TableNames"]}
    assert not {name for name in names if name.startswith(task.kcl.application_name)}
