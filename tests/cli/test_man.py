"""The manual is one page of roff."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from kcl_processor.cli import COMMANDS, main


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The manual, asked for at a wide terminal."""
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        main(["man"])
    return capsys.readouterr().out


def test_every_command_has_its_section(page: str) -> None:
    """Whatever the terminal's width, and no line of a help is taken for a macro."""
    lines = page.splitlines()
    assert lines[0].startswith(".TH KCL-PROCESSOR 1 ")
    assert {f".SH {command.upper()}" for command in COMMANDS} < set(lines)
    assert ".SH LEASES RESET" in lines
    macros = {line.split()[0] for line in lines if line[:1] in (".", "'")}
    assert macros == {".TH", ".SH", ".in", ".nf", ".fi"}


def test_man_shows_it_without_a_warning(page: str) -> None:
    """Flags can be copied out of it: a dash is a dash."""
    if shutil.which("groff") is None:
        pytest.skip("there is no groff")
    shown = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-P-c"], input=page, capture_output=True, text=True
    )
    assert not shown.stderr
    assert "  kcl-processor copy orders --max-rcu 50% --max-wcu 500" in shown.stdout
    commands = shown.stdout.partition("usage: kcl-processor doctor")[0]
    assert max(map(len, commands.splitlines())) <= 80, "a terminal's width"
