"""The mark of a copy beside the daemon: read, replaced by who read it, and spoken of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.launch.copy_mark import CopyState
from kcl_processor.launch.live_mark import (
    LiveMark,
    forget_live_mark,
    read_live_mark,
    refuse_live_copying,
    refuse_live_unfinished,
    replace_live_mark,
)
from tests.fakes import HandClock

NOW = 1_700_000_000.5
BEGUN = LiveMark("token", CopyState.BEGUN, "host-1", NOW - 3600, NOW - 3, 1, 32, "", to_empty=True)


def test_a_mark_is_read_as_it_was_written(task: Task) -> None:
    """And replaced only by who read it."""
    done = BEGUN.now(CopyState.DONE, NOW)
    assert read_live_mark(task) is None
    for before, after in ((None, BEGUN), (BEGUN, done), (done, replace(done, to_empty=False))):
        assert replace_live_mark(task, before, after)
        assert not replace_live_mark(task, before, replace(after, token="another"))
        assert read_live_mark(task) == after
    forget_live_mark(task)
    assert read_live_mark(task) is None


def test_an_unfinished_copy_is_named_with_what_goes_on_with_it(task: Task) -> None:
    """Where it was at work, and when; one that is done keeps nobody off."""
    assert replace_live_mark(task, None, BEGUN)
    with pytest.raises(ConfigError, match=r"not finished: .* from host-1, was 3 s ago") as raised:
        refuse_live_unfinished(task, "reset leases", NOW)
    assert f"copy --live {task.name}, on any host" in raised.value.hint
    in_parts = replace(BEGUN, parts=8)
    assert "--part 0/8 and so on" in in_parts.again(task.name)
    assert replace_live_mark(task, BEGUN, BEGUN.now(CopyState.DONE, NOW))
    refuse_live_unfinished(task, "reset leases", NOW)


def test_one_at_work_is_told_by_its_mark_that_moves(task: Task) -> None:
    """Whatever its host's clock says."""
    clock = HandClock()
    refuse_live_copying(task, clock, clock.turn)
    assert replace_live_mark(task, None, BEGUN)
    refuse_live_copying(task, clock, clock.turn)

    def beats(seconds: float) -> None:
        clock.turn(seconds)
        mark = read_live_mark(task)
        assert mark
        replace_live_mark(task, mark, mark.now(mark.state, mark.beat_at + 1))

    with pytest.raises(ConfigError, match="at work on"):
        refuse_live_copying(task, clock, beats)
