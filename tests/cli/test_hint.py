"""A hint is typed as it stands, wherever the task's file and folder are."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcl_processor import cli
from kcl_processor.aws import clients
from kcl_processor.cli import COMMANDS, build_parser
from kcl_processor.cli.hint import WITHOUT_STATE, WITHOUT_TASK, WITHOUT_TASKS, again, as_called
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
    for as_it_is in ("kcl-processor demo", "in /var/lib/kcl-processor belong to another"):
        assert hinted(as_it_is, *there) == as_it_is


@pytest.mark.parametrize("there", [["-c", "f.yml", "--state-dir", "/s"], ["--config=f.yml"]])
def test_what_a_command_has_already_is_not_given_twice(there: list[str]) -> None:
    """An error may advise its own command as it was typed, with one option more."""
    args = build_parser().parse_args(["verify", "orders", *there])
    args.words = ["verify", "orders", *there]
    told = f"Error: it is not so.\nTry: {again(args)} --repair"
    assert as_called(told, args) == told


def test_a_hint_without_a_task_is_of_this_one() -> None:
    """In a file of several a command needs its name; where it stands already, it stands once."""
    assert hinted("kcl-processor prepare creates it", "orders") == (
        "kcl-processor prepare orders creates it"
    )
    both = "kcl-processor copy orders, then kcl-processor run orders"
    assert hinted(both, "orders") == both
    told = "Error: The copy of task orders ended.\nTry: kcl-processor copy --plan"
    assert hinted(told, "orders").endswith("kcl-processor copy orders --plan")
    assert hinted("kcl-processor demo", "orders") == "kcl-processor demo"


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
    """By what their help offers; those without a task, too."""
    words = [command, "show"] if command == "leases" else [command]
    with pytest.raises(SystemExit):
        build_parser().parse_args([*words, "--help"])
    offered = capsys.readouterr().out
    assert ("[TASK]" in offered) == (command not in WITHOUT_TASK)
    assert ("--config" in offered) == (command not in WITHOUT_TASKS)
    assert ("--state-dir" in offered) == (command not in WITHOUT_STATE)


def test_flags_have_no_file_for_the_next_command() -> None:
    """Whoever gave a task as flags is told to write it down."""
    flags = ["--sourceTable", "orders", "--destinationTable", "orders"]
    args = build_parser().parse_args(["run", *flags])
    assert "write it to a YAML file first" in as_called("kcl-processor copy orders", args)
    assert as_called("--sourceRegion", args) == "--sourceRegion"


def test_a_command_is_typed_again_as_it_was() -> None:
    """With what bounds it, and without what would begin anew."""
    args = argparse.Namespace(words=["copy", "-c", "my tasks.yml", "--restart", "--max-rcu", "5"])
    assert again(args, "--restart") == "kcl-processor copy -c 'my tasks.yml' --max-rcu 5"


def test_options_with_a_value_are_left_out_with_it() -> None:
    """However the value was given."""
    words = ["verify", "orders", "--sample", "40%", "--report=r.json", "--max-rcu", "5"]
    typed = again(argparse.Namespace(words=words), values=frozenset({"--sample", "--report"}))
    assert typed == "kcl-processor verify orders --max-rcu 5"


def test_an_option_that_is_left_out_leaves_the_same_value_of_another() -> None:
    """The limit keeps its own, wherever the other stood."""
    words = ["verify", "--max-rcu", "50%", "orders", "--sample", "50%"]
    typed = again(argparse.Namespace(words=words), values=frozenset({"--sample"}))
    assert typed == "kcl-processor verify --max-rcu 50% orders"


def test_the_same_command_is_advised_with_its_limits() -> None:
    """What kept a table in production from being throttled is not lost to an error."""
    words = ["copy", "orders", "--max-wcu", "30", "--part=1/2", "--restart"]
    args = build_parser().parse_args(words)
    args.words = words
    assert as_called("kcl-processor copy orders goes on", args) == (
        "kcl-processor copy --max-wcu 30 --part=1/2 orders goes on"
    )
    assert as_called("kcl-processor copy orders --part 0/2", args) == (
        "kcl-processor copy --max-wcu 30 orders --part 0/2"
    )
    assert as_called("kcl-processor run orders", args) == "kcl-processor run orders"


@pytest.mark.parametrize("module", sorted(Path(cli.__file__).parent.glob("*.py")), ids=str)
def test_a_command_prints_no_hint_but_as_it_was_called(module: Path) -> None:
    """Each text that names a command is an error's, a help's, or goes through this module."""
    bare = [node.lineno for node in naming_a_command(ast.parse(module.read_text("utf-8")))]
    assert bare == []


def naming_a_command(node: ast.AST) -> Iterator[ast.expr]:
    """Texts in a tree that name a command, outside of docstrings, constants, errors and helps."""
    if isinstance(node, ast.Raise | ast.keyword) or _is_told(node):
        return
    if isinstance(node, ast.Constant) and re.search("kcl-processor [a-z]", str(node.value)):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from naming_a_command(child)


def _is_told(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Name) and target.id.isupper() for target in node.targets)
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    function = node.func if isinstance(node, ast.Call) else None
    return docstring or (isinstance(function, ast.Name) and function.id in {"as_called", "again"})


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
