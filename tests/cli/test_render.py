"""`render` writes one file a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.config.settings import read_settings
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask


def test_a_record_processor_can_start_from_what_is_written(
    ask: Ask, file: Path, tmp_path: Path
) -> None:
    """The stream's ARN was asked for; the path is printed."""
    (task,) = load_tasks(file)
    code, said, _ = ask("render", "--out", str(tmp_path / "out"))
    path = Path(said.strip())
    assert code == ExitCode.OK and path == tmp_path / "out" / f"{task.name}.properties"
    assert read_settings(path).source_table == task.source.table
    assert f"{task.source.table}/stream/" in path.read_text()


@pytest.mark.parametrize(
    ("flag", "suffix", "says"),
    [("--systemd", ".service", "ExecStart="), ("--supervisord", ".conf", "command=")],
)
def test_a_unit_runs_the_task_of_this_file(
    ask: Ask, file: Path, tmp_path: Path, flag: str, suffix: str, says: str
) -> None:
    """By its absolute path: a supervisor starts elsewhere."""
    (task,) = load_tasks(file)
    said = ask("render", flag, "--out", str(tmp_path)).out
    path = Path(said.strip())
    assert path.name == f"kcl-processor-{task.name}{suffix}"
    (command,) = [line for line in path.read_text().splitlines() if line.startswith(says)]
    assert f"run --supervised -c {file} {task.name}" in command


def test_a_folder_that_cannot_be_written_is_named(ask: Ask, tmp_path: Path) -> None:
    """It is the command line that is wrong."""
    (tmp_path / "file").write_text("")
    code, _, err = ask("render", "--systemd", "--out", str(tmp_path / "file"))
    assert code == ExitCode.CONFIG
    assert str(tmp_path / "file") in err and "--out DIR" in err
