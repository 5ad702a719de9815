"""A mistyped command line ends with 2 and with the nearest word that would do."""

from __future__ import annotations

import pytest

from kcl_processor.cli import main
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
