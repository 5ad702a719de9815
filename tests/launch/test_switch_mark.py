"""How far a switchover is, is written down for every host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.launch.switch_mark import (
    SILENT,
    SwitchLook,
    SwitchMark,
    SwitchState,
    TakenOver,
    beat_switch,
    read_switch,
    refuse_switched,
    refuse_taken,
    replace_switch,
)
from tests.fakes import HandClock
from tests.kcl_tables import fill, make_task

BEGUN = SwitchMark.begun("a", 1_700_000_000.125)


def test_a_mark_is_read_as_it_was_written(moto_url: str) -> None:
    """Also with a policy that was there before, and without one."""
    task = make_task(moto_url)
    assert read_switch(task) is None
    fill(task, [])
    frozen = replace(BEGUN, sid="Sid1", source="arn:aws:x", policy='{"Statement": []}')
    over = replace(frozen, state=SwitchState.OVER, certificate="{}", policy=None)
    before: SwitchMark | None = None
    for after in (BEGUN, frozen, over, None):
        replace_switch(task, before, after)
        assert read_switch(task) == after
        before = after


def test_one_that_was_taken_over_changes_nothing(moto_url: str) -> None:
    """Two commands on one task: the second goes on, and the first sees it."""
    task = make_task(moto_url)
    fill(task, [])
    replace_switch(task, None, BEGUN)
    with pytest.raises(TakenOver):
        replace_switch(task, None, replace(BEGUN, token="b"))
    second = BEGUN.taken_over("b")
    replace_switch(task, BEGUN, second)
    with pytest.raises(TakenOver, match="Another command went on"):
        replace_switch(task, BEGUN, None)
    assert read_switch(task) == second
    assert (second.started_at, second.state) == (BEGUN.started_at, SwitchState.BEGUN)


def test_a_sign_of_life_leaves_the_mark_what_it_is(moto_url: str) -> None:
    """Whoever read it before may replace it; and the other one hears of that."""
    task = make_task(moto_url)
    fill(task, [])
    replace_switch(task, None, BEGUN)
    assert not BEGUN.is_silent(BEGUN.beat_at + SILENT - 1)
    beat_switch(task, BEGUN, BEGUN.beat_at + 600)
    found = read_switch(task)
    assert found == BEGUN and found and not found.is_silent(BEGUN.beat_at + SILENT + 500)
    assert found.is_silent(found.beat_at + SILENT + 1)
    second = BEGUN.taken_over("b")
    replace_switch(task, BEGUN, second)
    refuse_taken(task, second)
    with pytest.raises(TakenOver):
        beat_switch(task, BEGUN, 1.0)
    with pytest.raises(TakenOver):
        refuse_taken(task, BEGUN)


def test_a_switchover_says_in_words_how_far_it_is() -> None:
    """And what to type where nobody seems to be at it."""
    now, begun = BEGUN.beat_at + 60, f"begun on {BEGUN.host} at 2023-11-14T22:13:20Z"
    denied = replace(BEGUN, sid="Sid1")
    assert list(BEGUN.in_words("orders", now)) == [f"a switchover, {begun}, is open"]
    back = replace(denied, state=SwitchState.BACK)
    (words,) = back.in_words("orders", now)
    assert words.endswith(
        "is being taken back; writes to the source are denied by statement Sid1 of its policy"
    )
    _, silent = denied.in_words("orders", now + SILENT)
    assert "no sign of life since 2023" in silent and "Try: kcl-processor switchover" in silent
    over = replace(BEGUN, state=SwitchState.OVER)
    (words,) = over.in_words("orders", now + SILENT)
    assert words == f"switched over ({begun}): its writers write to the destination"


def test_only_a_task_whose_writers_have_moved_is_not_started(moto_url: str) -> None:
    """Until its certificate is there, the daemon has to go on."""
    task = make_task(moto_url)
    fill(task, [])
    refuse_switched(task)
    replace_switch(task, None, BEGUN)
    refuse_switched(task)
    over = replace(BEGUN, state=SwitchState.OVER, certificate="{}")
    replace_switch(task, BEGUN, over)
    with pytest.raises(ConfigError, match="at 2023-11-14T22:13:20Z") as refused:
        refuse_switched(task)
    assert refused.value.hint.startswith(f"kcl-processor switchover {task.name} --back")


def test_who_lays_for_long_looks_again_and_again(moto_url: str) -> None:
    """Every few seconds: a certificate that is made meanwhile ends it."""
    task, clock = make_task(moto_url), HandClock()
    fill(task, [])
    look = SwitchLook(task, clock)
    look()
    replace_switch(task, None, replace(BEGUN, state=SwitchState.OVER, certificate="{}"))
    look()
    clock.turn(6)
    for _ in range(2):
        with pytest.raises(ConfigError, match="was switched over"):
            look()
