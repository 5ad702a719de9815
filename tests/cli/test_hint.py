"""A hint is typed as it stands, wherever the task's file and folder are."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.cli import COMMANDS, build_parser
from kcl_processor.cli.hint import WITHOUT_STATE, WITHOUT_TASKS, as_called
from kcl_processor.config.yaml_file import load_tasks
from tests.cli.ask import Ask


def hinted(text: str, *given: str) -> str:
    """A hint of ``verify`` that was called with these options."""
    return as_called(text, build_parser().parse_args(["verify", *given]))


def test_what_was_given_is_repeated_behind_every_command() -> None:
    """Where a command takes it; quoted where a shell wants it so."""
    hint = "stop it, kcl-processor copy orders, then kcl-processor leases reset orders"
    there = ["-c", "my tasks.yml", "--state-dir", "/s"]
    repeated = "-c 'my tasks.yml' --state-dir /s"
    assert hinted(hint, *there) == (
        f"stop it, kcl-processor copy {repeated} orders, "
        f"then kcl-processor leases {repeated} reset orders"
    )
    assert hinted("kcl-processor prepare orders", *there) == (
        "kcl-processor prepare -c 'my tasks.yml' orders"
    )
    assert hinted("kcl-processor demo", *there) == "kcl-processor demo"


def test_what_was_not_given_or_comes_from_the_environment_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next command has the same environment."""
    assert hinted("kcl-processor copy orders") == "kcl-processor copy orders"
    monkeypatch.setenv("KCL_PROCESSOR_CONFIG", "/etc/tasks.yml")
    assert hinted("kcl-processor copy orders") == "kcl-processor copy orders"


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_without_a_file_or_a_folder_are_named(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By what their help offers."""
    words = [command, "show"] if command == "leases" else [command]
    with pytest.raises(SystemExit):
        build_parser().parse_args([*words, "--help"])
    offered = capsys.readouterr().out
    assert ("--config" in offered) == (command not in WITHOUT_TASKS)
    assert ("--state-dir" in offered) == (command not in WITHOUT_STATE)


def test_an_error_advises_for_the_file_that_it_was_given(
    ask: Ask, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an error's hint is printed, and as a check's is."""
    (task,) = load_tasks(file)
    clients.tables(task.destination).delete_table(TableName=task.destination.table)
    assert "Try: kcl-processor prepare creates" in ask("run").err
    monkeypatch.delenv("KCL_PROCESSOR_CONFIG")
    advised = f"kcl-processor prepare -c {file} creates"
    assert f"Try: {advised}" in ask("run", "-c", str(file)).err
    assert f"try  {advised}" in ask("doctor", "-c", str(file)).out
