"""What the forks of a worker consumed, counted in memory that they share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from kcl_processor.aws.wire import Answer
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.consumption import Consumption, CountedTable


class Table:
    """Gives the answers that it is told to."""

    table = "replica"

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)

    def send(self, _: Sequence[Change], __: Callable[[], float]) -> Answer:
        return self._answers.pop(0)


def put(size: int) -> Change:
    return Change(b'{"id":{"S":"a"}}', b"x" * size, "1", 0)


def test_forks_count_side_by_side_and_what_one_counted_outlives_it() -> None:
    """Their places are used again."""
    consumption = Consumption()
    pids = {}
    for _ in range(3):
        place = consumption.place()
        pid = os.fork()
        if pid == 0:
            consumption.take(place)
            consumption.add(0.5)
            os._exit(0)
        pids[pid] = place
    for pid, place in pids.items():
        os.waitpid(pid, 0)
        consumption.end(place)
    for _ in range(600):
        consumption.end(consumption.place())
    assert consumption.total() == 1.5


def test_nothing_is_counted_before_somebody_asks() -> None:
    """What is told counts; what is not, by its size; what was refused, or not sent, not at all."""
    consumption = Consumption()
    told = Answer(200, body={"ConsumedCapacity": [{"CapacityUnits": 7.0}]})
    silent, lost = Answer(200, body={"UnprocessedItems": {}}), Answer(0, "Timeout", in_doubt=True)
    table = CountedTable(Table(told, told, silent, lost, Answer(400, "Throttling")), consumption)
    totals = []
    for size in (1, 1, 1025, 4096, 1):
        table.send([put(size), put(1)], lambda: 1.0)
        totals.append(consumption.total())
    assert totals == [0, 7, 10, 15, 15]
