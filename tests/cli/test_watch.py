"""`--watch`: the same view, again and again."""

from __future__ import annotations

import sys
import time

import pytest

from kcl_processor.cli.watch import show
from kcl_processor.errors import OperatorError


class Drawings:
    """Draws a line more each time, and is stopped by Ctrl-C before the fourth."""

    def __init__(self) -> None:
        self.made = 0
        self.waited: list[float] = []

    def __call__(self) -> int:
        self.made += 1
        print(f"drawing {self.made}")
        return self.made

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        if self.made == 3:
            raise KeyboardInterrupt


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> Drawings:
    """Drawings between which nobody really waits."""
    made = Drawings()
    monkeypatch.setattr(time, "sleep", made.wait)
    return made


def test_without_watch_it_is_drawn_once(drawings: Drawings) -> None:
    """The exit code is the drawing's."""
    assert show(drawings, watch=False) == 1
    assert drawings.waited == []


def test_off_a_terminal_drawings_follow_each_other(
    drawings: Drawings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every two seconds, an empty line between them and no escape codes."""
    with pytest.raises(KeyboardInterrupt):
        show(drawings, watch=True)
    assert capsys.readouterr().out == "drawing 1\n\ndrawing 2\n\ndrawing 3\n"
    assert set(drawings.waited) == {2.0}


def test_on_a_terminal_it_is_redrawn_in_place(
    drawings: Drawings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the top, each line cleared behind its end, and what is below cleared, too."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(KeyboardInterrupt):
        show(drawings, watch=True)
    first, *redrawn = capsys.readouterr().out.split("\x1b[H")
    assert first == "drawing 1\n"
    assert redrawn == ["drawing 2\x1b[K\n\x1b[J", "drawing 3\x1b[K\n\x1b[J"]


def test_a_terminal_keeps_the_heads_in_sight(
    drawings: Drawings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What has no room below them is counted, and is drawn for a terminal each time."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("LINES", "6")

    def draw() -> int:
        assert sys.stdout.isatty()
        print("HEADS\n\x1b[31m1234567890\x1b[0m\n12345678901\nb\nc")
        return drawings()

    with pytest.raises(KeyboardInterrupt):
        show(draw, watch=True)
    *_, last = capsys.readouterr().out.split("\x1b[H")
    assert last.replace("\x1b[K", "").splitlines() == [
        *("HEADS", "\x1b[31m1234567890\x1b[0m", "12345678901", "… 3 more", "\x1b[J")
    ]


def test_a_network_that_fails_meanwhile_ends_no_watch(
    drawings: Drawings, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told in the place of the view; at the first look it ends the command."""

    def draw() -> int:
        code = drawings()
        if code == 2:
            raise OperatorError("The network is gone.", "mend it")
        return code

    with pytest.raises(KeyboardInterrupt):
        show(draw, watch=True)
    assert "drawing 2\nError: The network is gone.\n\ndrawing 3\n" in capsys.readouterr().out

    def fail() -> int:
        raise OperatorError("No network.", "mend it")

    with pytest.raises(OperatorError):
        show(fail, watch=True)
