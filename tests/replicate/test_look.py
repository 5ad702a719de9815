"""A command that is looked at: how it ended, within its time, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from integration.until import until
from kcl_processor.replicate.lifeline import Lifeline
from kcl_processor.replicate.look import LATE, outcome

# Says who it is and stays for longer than any test.
STAYS = "echo $$ > {pid}; exec sleep 60"

Ended = Callable[[str, float], str]


@pytest.fixture
def ended() -> Iterator[Ended]:
    """How a command ended, for a daemon that lives."""
    ours, theirs = os.pipe()
    yield lambda command, longest: outcome(command, Lifeline(ours), longest)
    os.close(theirs)
    os.close(ours)


def began(pid: Path) -> bool:
    """Whether a process has said who it is."""
    return pid.exists() and pid.read_text().endswith("\n")


def gone(pid: Path) -> bool:
    """Whether a process that has said who it is runs no more; an orphan may wait for its init."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(int(pid.read_text())).status() == psutil.STATUS_ZOMBIE
    return True


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("true", "0"),
        ("false", "1"),
        ("exit 7", "7"),
        ("no-such-program", "127"),
        (f"kill -{signal.SIGTERM} $$", "143"),
        ("read line", "1"),
        ("echo out; echo err >&2", "0"),
    ],
)
def test_a_command_is_told_by_its_exit_code(ended: Ended, command: str, code: str) -> None:
    """It has no input, so that none of it waits for one; what it says goes nowhere."""
    assert ended(command, 10) == code


def test_a_command_that_takes_too_long_is_late_and_killed(ended: Ended, tmp_path: Path) -> None:
    """Whatever it would have said."""
    pid = tmp_path / "pid"
    until(lambda: ended(STAYS.format(pid=pid), 0.2) == LATE and began(pid), "it began")
    assert gone(pid)


def test_what_a_command_leaves_behind_is_killed(ended: Ended, tmp_path: Path) -> None:
    """It would hold on to whatever it has, and one more at every look."""
    pid = tmp_path / "pid"
    left = f"sh -c '{STAYS.format(pid=pid)}' & while ! test -s {pid}; do sleep 0.01; done"
    assert ended(left, 10) == "0"
    until(lambda: gone(pid), "it is gone")


def test_a_daemon_that_is_gone_waits_for_nothing(tmp_path: Path) -> None:
    """The program ends with its stdin, and the command with it; not with a signal to the daemon."""
    pid = tmp_path / "pid"
    words = [sys.executable, "-m", "kcl_processor.replicate.look", STAYS.format(pid=pid)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        until(lambda: began(pid), "it began")
        program.send_signal(signal.SIGTERM)
        said, _ = program.communicate()
    assert (said, program.returncode) == (b"137\n", 0)
    assert gone(pid)
