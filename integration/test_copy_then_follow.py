"""From a table that takes live writes to a replica that is proven equal, by the commands alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.background import repeating
from integration.copy_tables import Pair
from integration.until import until
from integration.worker import Worker
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.table.copy_progress import load
from kcl_processor.table.live_task import WHOLE
from kcl_processor.table.part_row import read_part

# Items that the live writer leaves alone, for differences that are planted there.
QUIET = range(40)


@pytest.mark.parametrize(
    "items", [2_000, pytest.param(20_000, marks=pytest.mark.drill)], ids=lambda n: f"{n} items"
)
@pytest.mark.parametrize(
    "words",
    [pytest.param((), marks=pytest.mark.drill), ("--copy-first",)],
    ids=["copy beside", "copy first"],
)
def test_a_live_table_becomes_an_equal_replica(
    local: str, tmp_path: Path, items: int, words: tuple[str, ...]
) -> None:
    """Items change, come and go during the copy, the replay, verify and repair; all ends equal."""
    pair = Pair(local, tmp_path)
    pair.create_filled(range(items))
    began = len(pair.contents(pair.source))
    # The daemon and the copy, beside it or before it.
    with live_writes(pair, items) as made, pair.at_work("start", *words) as daemon:
        until(lambda: copied(pair), "the copy is done", 120)
        until(lambda: replicates(pair, daemon), "the daemon has caught up")
        changes = len(made)
        assert verify(pair)[0] == ExitCode.OK
        planted = plant(pair)
        code, found = verify(pair)
        assert code == ExitCode.CRASH
        assert {(line["kind"], *numbers(line)) for line in found} == planted
        code, found = verify(pair, "--repair", "--delete-extra")
        assert code == ExitCode.OK, found
        assert {line["outcome"] for line in found} == {"put", "deleted"}
        assert verify(pair)[0] == ExitCode.OK
        assert len(made) > changes, "writes went on during all of it"
    assert began == items
    with pair.at_work("start", *words) as daemon:
        until(lambda: replicates(pair, daemon), "the daemon went on, and nothing was copied")
        until(pair.equal, "both sides are equal", 30)
        assert "nothing is copied" in daemon.log()


@contextmanager
def live_writes(pair: Pair, items: int) -> Iterator[list[int]]:
    """A thread that puts, changes and deletes items, about 100 times a second."""
    made: list[int] = []
    dice = random.Random(1)

    def write() -> None:
        number = dice.randrange(len(QUIET), items * 11 // 10)
        if dice.random() < 0.2:
            pair.delete(pair.source, number)
        else:
            pair.put(pair.source, number, len(made) + 1)
        made.append(number)

    with repeating(write, 0.01):
        yield made


def copied(pair: Pair) -> bool:
    """Whether the copy's progress says that it is done."""
    (task,) = load_tasks(pair.commands.file)
    progress = load(pair.folder / "orders.copy.json") or read_part(task, WHOLE)
    return progress is not None and progress.finished_at is not None


def replicates(pair: Pair, daemon: Worker) -> bool:
    """Whether an item put now arrives; the daemon must be alive."""
    assert daemon.running(), daemon.log()
    return pair.replicates(QUIET[-1])


def plant(pair: Pair) -> set[tuple[str, int]]:
    """Make the replica differ in each way, and in ways that are no difference."""
    for number in (1, 2):
        pair.put(pair.replica, number, 1)
    pair.put(pair.replica, 3, words={"SS": ["alpha", "beta"]})
    pair.put(pair.replica, 4, amount={"N": "-12345678901234567890.123456789012345679"})
    for number in (5, 6):
        pair.delete(pair.replica, number)
    for number in (9_999_998, 9_999_999):
        pair.put(pair.replica, number)
    pair.put(pair.replica, 7, words={"SS": ["gamma", "alpha", "beta"]}, numbers={"NS": EQUAL})
    return {
        *(("changed", number) for number in (1, 2, 3, 4)),
        *(("missing", number) for number in (5, 6)),
        *(("extra", number) for number in (9_999_998, 9_999_999)),
    }


EQUAL = ["42.0", "0.250", "-3"]


def numbers(line: dict[str, Any]) -> Sequence[int]:
    """The number of the item that a line of the report is about."""
    return (int(line["key"]["pk"]["S"].removeprefix("item#")),)


def verify(pair: Pair, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Run verify; return its exit code and the lines of its report."""
    report = pair.folder / "report.jsonl"
    done = pair.run("verify", "--patience", "5", "--report", str(report), *arguments)
    assert done.returncode in (ExitCode.OK, ExitCode.CRASH), done.stderr + done.stdout
    return done.returncode, [json.loads(line) for line in report.read_text().splitlines()]
