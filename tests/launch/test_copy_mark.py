"""A copy's mark keeps daemons away from a destination that is not whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError
from kcl_processor.launch import copy_mark
from kcl_processor.launch.copy_mark import (
    CopyMark,
    CopyState,
    read_mark,
    refuse_copying,
    refuse_uncopied,
    replace_mark,
    retire_mark,
    settle_mark,
)
from tests.fakes import HandClock, turning

NOW, HOUR = 1_700_000_000.5, 3600.0
BEGUN = CopyMark.begun("token", NOW - HOUR, NOW - 3, forced=False)
DONE = BEGUN.now(CopyState.DONE, NOW - 3)


def test_a_mark_is_read_as_it_was_written(task: Task) -> None:
    """And replaced only by who read it."""
    assert read_mark(task) is None
    parts = replace(DONE, forced=True, parts=1, segments=32, to_empty=False, alone=False)
    for before, after in ((None, BEGUN), (BEGUN, DONE), (DONE, parts)):
        assert replace_mark(task, before, after)
        assert not replace_mark(task, before, replace(after, token="another"))
        assert read_mark(task) == after


def test_a_copy_that_was_cut_off_is_named_with_where_it_goes_on(task: Task) -> None:
    """Its host, its begin, its last sign of life; the daemon does not start over a hole."""
    assert replace_mark(task, None, BEGUN)
    for started in (False, True):
        with pytest.raises(
            ConfigError, match=rf"begun on {BEGUN.host} .* not finished.* 3 s ago"
        ) as e:
            settle_mark(task, NOW, started=started, adopt=False)
        assert f"kcl-processor copy {task.name}, on {BEGUN.host}, goes on" in e.value.hint
    assert read_mark(task) == BEGUN
    settle_mark(task, NOW, started=False, adopt=True)
    assert read_mark(task) is None, "an operator gave it up"


def test_a_copy_that_was_disturbed_is_begun_anew(task: Task) -> None:
    """Older items may lie over newer ones, whoever started since."""
    mark = BEGUN.now(CopyState.DISTURBED, NOW)
    with pytest.raises(ConfigError, match="was disturbed") as raised:
        refuse_uncopied(task, mark, NOW, started=True)
    assert "copy --restart --no-to-empty-only" in raised.value.hint


def test_a_copy_must_be_followed_within_a_day(task: Task) -> None:
    """48 h after its begin a first start is refused: the oldest changes have left the stream."""
    assert replace_mark(task, None, DONE)
    settle_mark(task, NOW, started=False, adopt=False)
    assert read_mark(task) == DONE, "until a daemon is known to have read"
    late = NOW + 48 * HOUR
    with pytest.raises(GapError, match=r"began 49\.0 h ago"):
        settle_mark(task, late, started=False, adopt=False)
    refuse_uncopied(task, replace(DONE, forced=True), late, started=False)
    settle_mark(task, late, started=True, adopt=False)
    assert read_mark(task) is None, "leases tell that it was followed"
    settle_mark(task, late, started=False, adopt=False)


def test_a_fleet_may_start_at_once(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers find the mark of a copy that was followed; the slower one starts all the same."""
    assert replace_mark(task, None, DONE)
    first = read_mark(task)
    read = iter([first])
    settle_mark(task, NOW, started=True, adopt=False)
    monkeypatch.setattr(copy_mark, "read_mark", lambda task: next(read, None) or read_mark(task))
    settle_mark(task, NOW, started=True, adopt=False)
    assert read_mark(task) is None


def test_only_a_copy_that_is_done_is_retired(task: Task) -> None:
    """Where all leases go, they no longer tell that the daemon followed."""
    retire_mark(task)
    assert replace_mark(task, None, BEGUN)
    retire_mark(task)
    assert read_mark(task) == BEGUN
    assert replace_mark(task, BEGUN, DONE)
    retire_mark(task)
    assert read_mark(task) is None


def test_a_copy_at_work_is_told_from_one_that_was_cut_off(task: Task) -> None:
    """By its mark, which moves; whoever clears a task away may be on a host with another clock."""
    clock = HandClock()

    def beat() -> None:
        mark = read_mark(task)
        assert mark and replace_mark(task, mark, mark.now(mark.state, mark.beat_at + 5))

    refuse_copying(task, clock, turning(clock, beat))
    assert replace_mark(task, None, BEGUN)
    with pytest.raises(ConfigError, match=f"at work on {BEGUN.host}") as raised:
        refuse_copying(task, clock, turning(clock, beat))
    assert "stop it" in raised.value.hint
    refuse_copying(task, clock, clock.turn)
