"""The command as such: errors become words and exit codes."""

from __future__ import annotations

import argparse
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from kcl_processor import __version__
from kcl_processor.cli import main, status, with_action
from kcl_processor.errors import DestinationError, ExitCode

PATH = ["status", "-c", "tasks.yml"]


def ended(arguments: list[str]) -> object:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    return leaving.value.code


@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        (DestinationError("It failed.", "do that"), ExitCode.DESTINATION, "Error: It failed.\nTry"),
        (RuntimeError("a bug"), ExitCode.BUG, "Traceback"),
        (KeyboardInterrupt(), 130, ""),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            ExitCode.CRASH,
            "Error: No space left on device.\nTry: df -h",
        ),
        (OSError(errno.EINVAL, "Invalid argument"), ExitCode.BUG, "Traceback"),
    ],
)
def test_what_a_command_raises_is_told_on_stderr(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    says: str,
) -> None:
    """An operator's error in two lines, a bug with its stack, a Ctrl-C without a word."""

    def run(_args: argparse.Namespace) -> int:
        raise raised

    monkeypatch.setattr(status, "run", run)
    assert ended(PATH) == code
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith(says)
    assert says or not said.err


def test_a_file_that_is_not_there_is_a_mistake_of_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, with the file's name."""
    path = tmp_path / "nothing.yml"
    assert ended(["status", "-c", str(path)]) == ExitCode.CONFIG
    assert f"Error: {path} cannot be read" in capsys.readouterr().err


def test_a_command_imports_only_itself() -> None:
    """The others would take as long again, and Ctrl-C meanwhile be told as an error."""
    program = """if True:
        import sys
        from kcl_processor import cli
        try:
            cli.main(["status", "--help"])
        except SystemExit:
            print(*[name for name in cli.COMMANDS if "kcl_processor.cli." + name in sys.modules])
    """
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == "status"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """And goes to stdout."""
    assert ended(["--version"]) == 0
    assert capsys.readouterr().out == f"kcl-processor {__version__}\n"


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
