"""A mistyped command line ends with 2 and with the nearest word that would do."""

from __future__ import annotations

import re
import shlex

import pytest

from kcl_processor.cli import build_parser, main, with_action
from kcl_processor.cli.described import Command, describe
from kcl_processor.errors import ExitCode


@pytest.mark.parametrize(
    ("words", "says", "hint"),
    [
        ("statu", "statu is no COMMAND", "kcl-processor status"),
        ("xyzzy", "xyzzy is no COMMAND", "kcl-processor --help"),
        ("status --jsno", "kcl-processor status: --jsno is not known", "--json"),
        ("leases show --widee", "kcl-processor leases show: --widee is not known", "--wide"),
        ("leases reset --ye", "kcl-processor leases reset: --ye is not known", "--yes"),
        ("copy a --max-wuc=5", "kcl-processor copy: --max-wuc is not known", "--max-wcu"),
        ("size --changes -5", "argument --changes: -5 is not a number", "size --help"),
        ("health --max-lag", "expected one argument", "health --help"),
        ("iam a --role sorce", "kcl-processor iam: sorce is no --role", "Try: --role source"),
        ("status a b", "kcl-processor status: b is not known", "status --help"),
    ],
)
def test_a_mistake_is_named_with_the_nearest_word(
    words: str, says: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing else: the whole usage would hide it."""
    with pytest.raises(SystemExit) as leaving:
        main(words.split())
    assert leaving.value.code == ExitCode.CONFIG
    error, advice = capsys.readouterr().err.splitlines()
    assert error.startswith("Error: ") and says in error
    assert advice.startswith("Try: ") and advice.endswith(hint)


@pytest.mark.parametrize("words", ["help", "help status", "help leases reset"])
def test_help_is_a_word_too(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the product, of a command, of an action."""
    with pytest.raises(SystemExit) as leaving:
        main(words.split())
    assert leaving.value.code == ExitCode.OK
    assert " ".join(["usage: kcl-processor", *words.split()[1:]]) in capsys.readouterr().out


EVERY = list(describe(build_parser()).every())


@pytest.mark.parametrize("columns", ["80", "60", "200"])
def test_help_is_as_wide_as_the_terminal(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what is typed and alternatives of a usage; no wider than the eye keeps its line."""
    monkeypatch.setenv("COLUMNS", columns)
    typed = ("kcl-processor ", "aws ", "while ", "initialDelay", "livenessProbe", "[--")
    for command in describe(build_parser()).every():
        for line in command.text.splitlines():
            fits = len(line) <= min(int(columns), 100)
            assert fits or line.strip().startswith(typed), line


def test_the_words_of_a_help_stay_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the width: nothing is lost where a line is broken."""
    monkeypatch.setenv("COLUMNS", "70")
    narrow = describe(build_parser())
    for command, other in zip(EVERY, narrow.every(), strict=True):
        ours = [word for word in command.text.split() if "-" not in word and "/" not in word]
        theirs = [word for word in other.text.split() if "-" not in word and "/" not in word]
        assert ours == theirs, command.path


@pytest.mark.parametrize("command", EVERY[1:], ids=lambda one: " ".join(one.path))
def test_every_help_has_an_example_that_can_be_typed(command: Command) -> None:
    """The parser takes each as it stands."""
    if command.path == ("leases",):
        begin = "  kcl-processor leases"
    else:
        begin = f"  kcl-processor {' '.join(command.path)}"
    lines = [line for line in command.text.splitlines() if line.startswith(begin)]
    assert lines
    for line in lines:
        words = re.split(r" {2,}| [>|] ", line.strip())[0]
        if "[" not in words:
            build_parser().parse_args(with_action(shlex.split(words)[1:]))
