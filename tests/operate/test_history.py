"""What happened to a task: its workers' words, and what this host knows besides."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.fleet.events import Event
from kcl_processor.operate import history as of_history
from kcl_processor.operate.history import LOOKS, followed, history, in_words
from kcl_processor.state.ending import Ending
from tests.kcl_tables import make_task

START, STOP = Event(100.0, "a", "started"), Event(200.0, "a", "stopped", why="exit code 0")


def seen(told: list[Event], ends: list[Ending], monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    monkeypatch.setattr(of_history, "read_events", lambda _: told)
    monkeypatch.setattr(of_history, "last_endings", lambda _: ends)
    return history(TaskFiles(make_task(), Path("state")))


def test_an_end_that_the_worker_told_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file and its event are of one end."""
    assert seen([START, STOP], [Ending("a", 200.4, 0)], monkeypatch) == [START, STOP]


def test_who_was_killed_here_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its place among the others; so is a start that failed before it reached the table."""
    ends = [Ending("b", 150.0), Ending("a", 90.0, 2, "The file is wrong.")]
    failed, started, died, stopped = seen([START, STOP], ends, monkeypatch)
    assert (started, stopped) == (START, STOP)
    assert (died.teller, died.what) == ("b", "died")
    assert "it was killed" in in_words(died)
    assert in_words(failed).startswith("exit code 2, ")
    assert in_words(failed).endswith("The file is wrong.")


def test_events_in_words() -> None:
    """A shard that moved, from whom to whom and why; a shard is named once."""
    moved = Event(1.0, "b", "moved", "shardId-1", "a", "b", "not renewed for 31 s")
    assert in_words(moved) == "shard shardId-1 from a to b: not renewed for 31 s"
    let_go = Event(1.0, "b", "moved", "shardId-1", "b", None, "b let go of it")
    assert in_words(let_go) == "shard shardId-1 from b to nobody: b let go of it"
    failed = Event(1.0, "b", "failed", "shardId-1", why="shardId-1 Table t refuses.")
    assert in_words(failed) == "shard shardId-1: Table t refuses."
    assert in_words(STOP) == "exit code 0"
    assert in_words(Event(1.0, "b", "started")) == ""


def test_those_to_come_are_told_once() -> None:
    """One that arrives behind a younger one, too."""
    late = Event(150.0, "b", "started")
    looks = iter([[START], [START, STOP], [START, late, STOP]])
    waited: list[float] = []
    events = followed(lambda: next(looks), waited.append)
    assert [next(events) for _ in range(3)] == [START, STOP, late]
    assert waited == [LOOKS, LOOKS]
