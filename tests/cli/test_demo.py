"""`demo` sums up what was seen."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from kcl_processor.cli import main
from kcl_processor.cli.demo import summary
from kcl_processor.demo.story import Figures
from kcl_processor.errors import ExitCode
from tests.javas import SAYS_JAVA_17, java_that


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The environment and the signals of the tests behind, which a demo makes its own."""
    stop = signal.getsignal(signal.SIGTERM)
    with patch.dict(os.environ):
        yield
    signal.signal(signal.SIGTERM, stop)


def test_what_was_not_seen_is_a_dash() -> None:
    """A demo that was stopped early claims nothing."""
    lines = summary(Figures()).splitlines()
    assert [line.split()[-1] for line in lines[2:7]] == ["-"] * 5


def test_the_summary_says_what_was_measured() -> None:
    """Seconds in hundredths, and whether both tables are equal."""
    seen = Figures(items=7, preloaded=5, changes=20, first_record=8.766, differences=0, exit_code=0)
    lines = summary(seen).splitlines()
    assert lines[0].split() == ["items", "compared", "7"]
    assert lines[1].split() == ["changes", "25"]
    assert lines[2].endswith("8.77 s")
    assert lines[-1].endswith(" equal")


@pytest.mark.parametrize("kept", ["file", "file/below"])
def test_logs_that_cannot_be_kept_are_a_mistake_of_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: str
) -> None:
    """Told before anything is started."""
    (tmp_path / "file").write_text("")
    java = java_that(tmp_path, SAYS_JAVA_17)
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--java", str(java), "--keep-logs", str(tmp_path / kept)])
    told = capsys.readouterr().err
    assert ended.value.code == ExitCode.CONFIG
    assert f"Error: {tmp_path / kept} cannot be written: " in told and "--keep-logs" in told


def test_a_database_that_does_not_start_is_told_with_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever keeps a Java from running is no error of ours."""
    java = java_that(tmp_path, SAYS_JAVA_17 + 'case "$*" in *inMemory*) echo no heap; exit 1; esac')
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--java", str(java)])
    told = capsys.readouterr().err
    assert ended.value.code == ExitCode.CRASH
    assert "Error: DynamoDB Local did not answer" in told and "no heap\nTry: " in told
