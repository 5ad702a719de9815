"""What a live copy names before it lays it: found by whoever goes on, and by nobody else's run."""

from __future__ import annotations

import pytest

from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.own_rows import Row, replace_own
from kcl_processor.table.held_row import PartTaken
from kcl_processor.table.live_ahead import PREFIX, Ahead, AheadRows
from kcl_processor.table.sides import Pair
from kcl_processor.table.table_reader import Segment
from tests.table.memory import key

FIRST, SECOND = Segment(0, 2), Segment(1, 2)
A, MOVED = Pair(key("a"), key("a")), Pair(key("b"), key("origin"))


def named(task: Task, part: Segment, token: str, *pairs: Pair, worker: int = 0) -> AheadRows:
    """A run that has named some."""
    rows = AheadRows(task, part)
    rows.load(token, of_all=False)
    rows.hear(token, worker, Ahead(list(pairs)))
    rows.save()
    return rows


def test_what_was_named_is_found_by_whoever_goes_on_with_the_part(task: Task) -> None:
    """With the keys of both sides, and of each process; what was named before it rests."""
    rows = named(task, FIRST, "token", A)
    rows.hear("token", 0, Ahead([MOVED]))
    rows.hear("token", 1, Ahead([A]))
    rows.save()
    assert sorted(AheadRows(task, FIRST).load("token", of_all=False)) == [A, MOVED]
    assert not AheadRows(task, SECOND).load("token", of_all=False)
    rows.clear()
    assert not AheadRows(task, FIRST).load("token", of_all=False)


def test_a_copy_that_is_begun_anew_finds_what_others_left(task: Task) -> None:
    """Whatever parts they had; what its own parts name, these look at."""
    named(task, SECOND, "earlier", A)
    named(task, Segment(0, 1), "earlier", MOVED)
    named(task, FIRST, "ours", A)
    whole = AheadRows(task, Segment(2, 3))
    assert sorted(whole.load("ours", of_all=True)) == [A, MOVED]
    whole.clear()
    assert AheadRows(task, FIRST).load("ours", of_all=False) == [A]
    assert not AheadRows(task, SECOND).load("ours", of_all=False)


def test_what_a_part_of_the_same_number_left_is_its_successors_alone(task: Task) -> None:
    """Two that look at it would take away each other's, and one clear it before the other names."""
    named(task, SECOND, "earlier", A)
    named(task, FIRST, "earlier", MOVED)
    first, second = AheadRows(task, FIRST), AheadRows(task, SECOND)
    assert first.load("ours", of_all=True) == [MOVED]
    assert second.load("ours", of_all=False) == [A]
    first.clear()
    second.hear("ours", 0, Ahead([MOVED]))
    second.save()


def test_who_was_paused_while_another_went_on_names_nothing_any_more(task: Task) -> None:
    """And takes nothing away that the other has named."""
    paused = named(task, FIRST, "token", A)
    named(task, FIRST, "token", MOVED)
    paused.hear("token", 0, Ahead([A]))
    with pytest.raises(PartTaken):
        paused.save()
    paused.clear()
    assert AheadRows(task, FIRST).load("token", of_all=False) == [MOVED]


def test_what_was_named_by_other_rules_is_not_judged_by_these(task: Task) -> None:
    """Under its key something else may lie by now; the row goes with the copy's end."""
    named(task, FIRST, "earlier", A)
    rows = AheadRows(task, FIRST, "other rules")
    assert not rows.load("token", of_all=False)
    rows.clear()
    assert not AheadRows(task, FIRST).load("token", of_all=False)


def test_a_row_of_a_later_version_is_no_row_to_pass_over(task: Task) -> None:
    """What it names would be looked at by nobody."""
    row: Row = {"token": {"S": "token"}, "rules": {"S": ""}, "keys": {"B": b"?"}}
    assert replace_own(task, f"{PREFIX}0-of-2-0", None, row)
    with pytest.raises(ConfigError, match="cannot be read"):
        AheadRows(task, FIRST).load("token", of_all=False)
