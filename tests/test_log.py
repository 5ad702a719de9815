"""The log: a level on every line, and no harm if it cannot be written."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from kcl_processor.log import log_to_stderr


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("kcl_processor")
    before = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    yield
    root.handlers[:], level, our_level, logging.raiseExceptions = before
    root.setLevel(level)
    ours.setLevel(our_level)


def test_every_line_of_a_stack_trace_has_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    """The daemon routes each line by the word that it begins with."""
    log_to_stderr()
    try:
        raise RuntimeError("two\nlines")
    except RuntimeError:
        logging.getLogger("kcl_processor.test").exception("broken")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "ERROR broken" and lines[-1] == "ERROR lines"
    assert all(line.startswith("ERROR ") for line in lines)


def test_libraries_speak_from_warning_up(capsys: pytest.CaptureFixture[str]) -> None:
    """We speak from INFO up, unless told otherwise."""
    log_to_stderr()
    for name in ("kcl_processor.test", "botocore.test"):
        logging.getLogger(name).info("info of %s", name)
        logging.getLogger(name).warning("warning of %s", name)
    assert capsys.readouterr().err.splitlines() == [
        "INFO info of kcl_processor.test",
        "WARNING warning of kcl_processor.test",
        "WARNING warning of botocore.test",
    ]


def test_a_log_that_cannot_be_written_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk is no reason to stop replicating, nor to print a stack trace of logging's."""
    tried: list[str] = []

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            tried.append(text)
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", Full())
        log_to_stderr()
    logging.getLogger("kcl_processor.test").info("lost")
    assert tried == ["INFO lost\n"]
    assert capsys.readouterr().err == ""
