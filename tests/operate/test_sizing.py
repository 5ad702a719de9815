"""Sizes and costs: what they grow with, and that a formula stands by each."""

from __future__ import annotations

from dataclasses import replace

from kcl_processor.config.task import Task
from kcl_processor.costs import MANY_SHARDS, SHARD_CHANGES
from kcl_processor.operate.sizing import Line, proving, size
from tests.kcl_tables import make_task


def lines(
    task: Task | None = None, shards: int = 8, changes: float = 10.0, item_kb: float = 1.0
) -> dict[str, Line]:
    return {line.what: line for line in size(task or make_task(), shards, changes, item_kb)}


def test_a_few_shards_are_a_process_each() -> None:
    """Eight are forked by one process, beside one Java; more share those."""
    assert lines(shards=1)["processes"].value == 3
    assert lines(shards=8)["processes"].value == 10
    assert lines(shards=128)["processes"].value == 10


def test_a_worker_has_as_many_shards_as_were_measured_on_one() -> None:
    """Those beyond the first eight take less memory each."""
    assert lines(shards=MANY_SHARDS)["workers"].value == 1
    assert lines(shards=MANY_SHARDS + 1)["workers"].value == 2
    one, eight, many = (lines(shards=n)["memory a worker"].value for n in (1, 8, 128))
    assert (many - eight) / 120 < (eight - one) / 7


def test_a_shard_is_read_by_one_worker() -> None:
    """More changes than its worker takes are no reason for workers that would have no shard."""
    found = lines(shards=2, changes=100_000)
    assert (found["workers"].value, found["processes"].value) == (2, 6)
    assert lines(shards=0, changes=100_000)["workers"].value == 1


def test_a_table_at_rest_costs_less() -> None:
    """A shard is read once a second instead of five times, and nothing is written."""
    busy, reads = lines(), "stream reads"
    rest = busy["a month without changes"].value
    spared = 0.8 * busy[reads].value + busy["checkpoints"].value + busy["destination writes"].value
    assert abs(busy["total a month"].value - spared - rest) < 1e-9


def test_losing_a_worker_moves_its_memory_to_the_others() -> None:
    """What is left must hold all of them."""
    found = lines(shards=256)
    assert found["memory with one worker lost"].value > found["memory a worker"].value


def test_large_items_bound_what_a_shard_gives() -> None:
    """A read of 1 MB holds five updates of 100 KB items, and five reads a second give 26."""
    most = "most changes a second of a shard"
    assert lines(item_kb=100)[most].value == 5 * 1024 / 200
    assert lines(item_kb=100)["most changes a second"].value == 8 * 5 * 1024 / 200
    assert lines(item_kb=0.1)[most].value == SHARD_CHANGES


def test_the_total_is_the_sum_of_its_dollars() -> None:
    """And metrics that are off cost nothing."""
    found = lines()
    dollars = [line.value for line in found.values() if line.unit == "$"]
    rest = found["a month without changes"].value
    assert abs(sum(dollars) - 2 * found["total a month"].value - rest) < 1e-9
    task = make_task()
    silent = replace(task, metrics=replace(task.metrics, publish=False))
    assert "CloudWatch metrics" not in lines(silent)


def test_costs_follow_what_they_multiply() -> None:
    """Renewals follow the failover time, checkpoints their interval, writes the item's size."""
    slow = make_task(properties={"failoverTimeMillis": "20000"})
    for follows in ("lease renewals", "workers' presence"):
        assert lines(slow)[follows].value * 2 == lines()[follows].value
    rare = replace(make_task(), checkpoint_seconds=10)
    assert lines(rare)["checkpoints"].value * 2 == lines()["checkpoints"].value
    assert lines(item_kb=1.5)["destination writes"].value == (
        2 * lines()["destination writes"].value
    )


def test_one_renewal_a_second_costs_what_the_price_list_says() -> None:
    """2.592 million writes a month at 0.625 dollars a million are 1.62 dollars."""
    task = make_task(properties={"failoverTimeMillis": "3000"})
    assert round(lines(task, shards=1)["lease renewals"].value, 2) == 1.62


def test_every_line_shows_its_formula() -> None:
    """No number comes out of nowhere."""
    assert all(line.formula for line in lines().values())


def test_a_proof_costs_its_pace_and_a_round_the_table() -> None:
    """Both sides are read; a small table is not gone round without a pause."""
    found = {line.what: line for line in proving(100 * 2**30, 50)}
    units = 100 * 2**30 / 8192
    assert found["a round of verify"].value == 2 * units * 0.125e-6
    assert found["... takes"].value == units / 50 / 3600
    month = found["verify --continuous, a month"]
    assert month.value == 2 * 50 * 30 * 24 * 3600 * 0.125e-6
    assert "2 sides x 50 read units/s" in month.formula
    small = {line.what: line for line in proving(8192 * 60, 50)}
    assert small["verify --continuous, a month"].value == 2 * 30 * 24 * 3600 * 0.125e-6
    assert proving(0, 50)[0].value > 0
