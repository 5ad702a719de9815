"""How a worker ended is read from what it wrote, or from its silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ExitCode, PoisonError
from kcl_processor.state.ending import Ending, noting_failure, read_ending
from kcl_processor.state.start_file import write_held
from tests.fakes import HandClock
from tests.kcl_tables import make_task
from tests.launcher_notes import note_end


@pytest.fixture
def files(tmp_path: Path) -> TaskFiles:
    return TaskFiles(make_task(), tmp_path)


def started(files: TaskFiles, at: float) -> None:
    path = write_held(files.worker, ".properties", lambda _: b"")
    os.utime(path, (at, at))


def test_a_worker_that_never_started_did_not_end(files: TaskFiles) -> None:
    """There is nothing to tell."""
    assert read_ending(files) is None


def test_the_reason_is_told_apart_from_what_to_type(files: TaskFiles) -> None:
    """The launcher notes both in one line."""
    started(files, 90)
    note_end(files, 100, 8, "shard-1 Table t never accepts it. Try: mend it. Try: twice")
    assert read_ending(files) == Ending(
        "worker-1", 100, 8, "shard-1 Table t never accepts it.", "mend it. Try: twice"
    )
    note_end(files, 100, 0)
    assert read_ending(files) == Ending("worker-1", 100, 0)


def test_a_worker_that_was_killed_left_only_its_start(files: TaskFiles) -> None:
    """What it says of an end is older, or there is none."""
    started(files, 200)
    assert read_ending(files) == Ending("worker-1", 200)
    note_end(files, 100, 0)
    assert read_ending(files) == Ending("worker-1", 200)


def test_who_was_killed_after_long_lived_until_its_last_heartbeat(files: TaskFiles) -> None:
    """Its start may be weeks old, and its death is news."""
    started(files, 200)
    files.heartbeats.mkdir()
    os.utime(files.heartbeats, (9000, 9000))
    assert read_ending(files) == Ending("worker-1", 9000)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"at": 1}', '{"at": "x", "code": 1}'])
def test_a_note_that_cannot_be_read_is_none(files: TaskFiles, text: str) -> None:
    """Whoever asks wants to know of the task, not of a file."""
    files.worker.mkdir(parents=True)
    files.ending.write_text(text)
    assert read_ending(files) is None


def test_a_start_that_fails_is_an_end(files: TaskFiles) -> None:
    """With the code of its error; an unforeseen one is ours. Both go on their way."""
    clock = HandClock()
    with pytest.raises(PoisonError), noting_failure(files, clock):
        raise PoisonError("It is refused.", "mend it")
    noted = Ending("worker-1", clock.now(), ExitCode.POISON, "It is refused.", "mend it")
    assert read_ending(files) == noted
    with pytest.raises(ZeroDivisionError), noting_failure(files, clock):
        raise ZeroDivisionError("by zero")
    found = read_ending(files)
    assert found is not None and (found.code, found.hint) == (ExitCode.BUG, None)
    assert "by zero" in (found.reason or "")


def test_a_note_that_cannot_be_written_hides_no_failure(files: TaskFiles) -> None:
    """The error counts, not the note of it."""
    files.workers.write_text("in the way")
    with pytest.raises(PoisonError), noting_failure(files, HandClock()):
        raise PoisonError("It is refused.", "mend it")
