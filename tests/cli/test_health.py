"""`health` looks twice before it complains."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import with_worker
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.launch.daemon import lock_worker
from tests.cli.ask import Ask
from tests.launcher_notes import note_end


def test_what_is_found_is_looked_at_twice(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that is not there is not there five seconds later, either: exit code 1."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    code, said, _ = ask("health", "--local", "--json")
    assert code == 1 and waited == [5.0]
    (problem,) = json.loads(said)["problems"]
    assert problem.startswith("the daemon is not running on this host, by the files in /")


def test_a_daemon_that_is_not_there_is_told_with_its_end(
    ask: Ask, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever acts on the probe reads why; of the worker that was asked for, if one was."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    (task,) = load_tasks(file)
    for worker, code in (("w1", 8), ("w2", 9)):
        files = TaskFiles(with_worker(task, worker, "a test"), tmp_path / "state")
        note_end(files, code, code)
    assert "with 9, changes left the stream" in ask("health", "--local").out
    assert "with 8, the destination never" in ask("health", "--local", "--workerId", "w1").out


def test_every_worker_of_the_host_is_seen(
    ask: Ask, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was started under an id of its own, too; asked by id, only that one counts."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    (task,) = load_tasks(file)
    (tmp_path / "state" / f"{task.name}.workers" / "w2").mkdir(parents=True)
    with lock_worker(with_worker(task, "w2", "a test")):
        assert ask("health", "--local").code == 0
        assert ask("health", "--local", "--workerId", "w2").code == 0
        assert ask("health", "--local", "--workerId", "w3").code == 1
    assert ask("health", "--local").code == 1
    assert ask("health", "--local", "--workerId", "a b").code == 2
    assert ask("health", "--workerId", "w1").code == 2, "the fleet is asked for as a whole"


def test_files_of_a_namesake_are_not_read(ask: Ask, file: Path, tmp_path: Path) -> None:
    """A task of this name that keeps its checkpoints elsewhere has other heartbeats."""
    (task,) = load_tasks(file)
    owner = tmp_path / "state" / f"{task.name}.owner.json"
    owner.parent.mkdir()
    owner.write_text(json.dumps({"region": "x", "endpoint": None, "application_name": "y"}))
    for command in ("health --local", "copy", "replay", "uninstall", "leases reset"):
        refused = ask(*command.split())
        assert refused.code == 2 and "belong to another task of that name: to" in refused.err
