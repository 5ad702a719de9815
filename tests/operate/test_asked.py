"""Services that are asked beside whoever wants to know."""

from __future__ import annotations

import pytest

from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.operate.asked import INTERVAL, Asked
from tests.fakes import Beside, HandClock
from tests.kcl_tables import make_task


def test_nobody_waits_for_an_answer_and_a_question_is_a_minute() -> None:
    """What was found last is told; one question is out at a time."""
    clock, pool, task = HandClock(), Beside(), make_task()
    answers = iter((1, 2))
    asked = Asked([task], clock, pool, lambda _: next(answers))
    assert asked.last() == {}
    clock.turn(INTERVAL)
    assert asked.last() == {} and pool.do() == 1
    assert asked.last() == {task.name: 1} and pool.do() == 1
    assert asked.last() == {task.name: 2}
    clock.turn(INTERVAL - 1)
    assert asked.last() == {task.name: 2} and pool.do() == 0


@pytest.mark.parametrize("error", [OperatorError("denied", "allow it"), KeyError("of a row")])
def test_one_that_cannot_be_asked_is_missing(error: Exception) -> None:
    """The others are there; of a row that is none of ours, too."""
    clock, pool, tasks = HandClock(), Beside(), [make_task(), make_task()]

    def read(task: Task) -> int:
        if task is tasks[0]:
            raise error
        return 1

    asked = Asked(tasks, clock, pool, read)
    asked.last()
    pool.do()
    assert asked.last() == {tasks[1].name: 1}
