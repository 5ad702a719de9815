"""The watchdog: a hang ends the process, idleness and progress do not."""

from __future__ import annotations

import faulthandler
import subprocess
import sys
import threading

import pytest

from kcl_processor.errors import ExitCode
from kcl_processor.replicate.watchdog import Watchdog
from tests.fakes import HandClock

HANG = """
import threading
from kcl_processor.clock import SystemClock
from kcl_processor.replicate.watchdog import Watchdog

def stuck_here():
    threading.Event().wait({hangs})

watchdog = Watchdog({patience}, SystemClock())
with watchdog.busy():
    pass
threading.Event().wait({idles})
with watchdog.busy():
    stuck_here()
"""


def hung(patience: float, hangs: float, idles: float) -> subprocess.CompletedProcess[str]:
    """A process that is idle for a while, then busy for a while."""
    program = HANG.format(patience=patience, hangs=hangs, idles=idles)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_an_action_that_hangs_ends_the_process_with_its_stacks() -> None:
    """Exit code 1, for a restart, and the place in the log."""
    ended = hung(patience=0.2, hangs=50, idles=0)
    assert ended.returncode == ExitCode.CRASH
    assert "Timeout" in ended.stderr and "in stuck_here" in ended.stderr


MANY = """
import threading
from kcl_processor.clock import SystemClock
from kcl_processor.log import log_to_stderr, speak_for
from kcl_processor.replicate.watchdog import Watchdog

log_to_stderr()
watchdog = Watchdog(2, SystemClock())
watchdog.begin()

def at_work(shard, seconds):
    speak_for(shard)
    while True:
        with watchdog.busy():
            threading.Event().wait(seconds)

for shard, seconds in (("shard-1", 0.01), ("shard-2", 50), ("shard-3", 0.01)):
    threading.Thread(target=at_work, args=(shard, seconds)).start()
"""


def test_of_many_shards_the_one_that_hangs_is_named() -> None:
    """Before the stacks, which are of threads and name none."""
    command = [sys.executable, "-c", MANY]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == ExitCode.CRASH
    named, _, stacks = ended.stderr.partition("Timeout")
    assert [line.split()[:2] for line in named.splitlines()] == [["ERROR", "shard-2"]]
    assert "in at_work" in stacks


def test_between_actions_a_process_may_wait_for_ever() -> None:
    """An idle shard is no hang."""
    assert hung(patience=0.2, hangs=0, idles=0.4).returncode == 0


def test_progress_arms_anew_once_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arming costs a thread; and after the action nothing is armed."""
    armed: list[float] = []
    monkeypatch.setattr(
        faulthandler, "dump_traceback_later", lambda patience, **_how: armed.append(patience)
    )
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", armed.clear)
    clock = HandClock()
    watchdog = Watchdog(300, clock)
    with watchdog.busy():
        for _ in range(50):
            clock.turn(0.1)
            watchdog.progress()
        assert 5 <= len(armed) <= 6 and set(armed) == {301}
    assert not armed


def test_a_host_that_was_suspended_is_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two shards at work the first one ends; the other has all its patience left."""
    armed: list[float] = []
    monkeypatch.setattr(
        faulthandler, "dump_traceback_later", lambda patience, **_how: armed.append(patience)
    )
    clock = HandClock()
    watchdog = Watchdog(300, clock)
    begun, ends = threading.Event(), threading.Event()

    def first() -> None:
        with watchdog.busy():
            begun.set()
            ends.wait(20)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(20)
    clock.turn(1.0)
    with watchdog.busy():
        clock.suspend(1000.0)
        ends.set()
        thread.join(20)
        assert armed[-1] == 301


def test_an_action_goes_on_where_no_thread_is_left_to_watch_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no reason to end, and the next turn tries again."""
    armed: list[float] = []

    def arm(patience: float, **_how: object) -> None:
        armed.append(patience)
        if len(armed) == 1:
            raise RuntimeError("unable to start watchdog thread")

    monkeypatch.setattr(faulthandler, "dump_traceback_later", arm)
    clock = HandClock()
    watchdog = Watchdog(300, clock)
    with watchdog.busy():
        clock.turn(1.0)
        watchdog.progress()
    assert armed == [301, 301]
