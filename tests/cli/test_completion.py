"""Shells complete what the parsers take."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from kcl_processor.cli import COMMANDS, main


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["completion", shell])
    assert not ended.value.code
    return capsys.readouterr().out


def said(*command: str, text: str = "") -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]}")
    ran = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert not ran.stderr
    return ran.stdout


LINES = {
    "st": {"start", "status"},
    "leases re": {"reset", "restore"},
    "leases reset --t": {"--to"},
    "copy --max": {"--max-rcu", "--max-wcu"},
    "copy orders --li": {"--live"},
    "iam --role so": {"source"},
    "completion ba": {"bash"},
}


def test_bash_completes(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands, actions, flags and their values; behind a flag that takes a file, files."""
    program = script("bash", capsys)
    for line in (*LINES, "copy -c "):
        words = ["kcl-processor", *line.split(" ")]
        program += f"COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}\n"
        program += 'COMPREPLY=(); _kcl_processor; echo "${COMPREPLY[*]}"\n'
    *offered, files = said("bash", text=program).split("\n")[:-1]
    assert [set(one.split()) for one in offered] == list(LINES.values())
    assert files == ""


def test_fish_completes(capsys: pytest.CaptureFixture[str]) -> None:
    """With what each word is for."""
    program = script("fish", capsys)
    asked = "".join(f"complete -C 'kcl-processor {line}'; echo ---\n" for line in LINES)
    offered = said("fish", "--no-config", text=program + asked).split("---\n")[:-1]
    words = [{line.split("\t")[0] for line in one.splitlines()} for one in offered]
    assert words == list(LINES.values())


def test_zsh_takes_its_script(capsys: pytest.CaptureFixture[str]) -> None:
    """As it is, with every command."""
    program = script("zsh", capsys)
    assert program.startswith("#compdef kcl-processor\n")
    said("zsh", "-f", "-n", text=program)
    assert all(f"{command}:" in program for command in COMMANDS)


# What zsh has only where somebody completes on a terminal: each tells all that it would offer.
ZSH = """\
compdef() { : }
compadd() { shift; print -l -- $@ }
_describe() { [[ $1 == -o ]] && shift; print -l -- ${(P)2%%:*} }
_files() { : }
"""


def test_zsh_completes(capsys: pytest.CaptureFixture[str]) -> None:
    """What begins with the word is zsh's own to choose."""
    program = ZSH + script("zsh", capsys)
    for line in LINES:
        words = ["kcl-processor", *line.split(" ")]
        program += f"words=({' '.join(map(repr, words))}); CURRENT={len(words)}\n"
        program += f"PREFIX={words[-1]}; _kcl_processor; print -- ---\n"
    offered = said("zsh", "-f", text=program).split("---\n")[:-1]
    for one, (line, fitting) in zip(offered, LINES.items(), strict=True):
        begin = line.split(" ")[-1]
        assert {word for word in one.splitlines() if word.startswith(begin)} == fitting


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest that there is."""
    with pytest.raises(SystemExit) as ended:
        main(["completion", "bsh"])
    assert ended.value.code == 2
    assert "Try: kcl-processor completion bash" in capsys.readouterr().err
