"""A copy beside the daemon, under live writes, killed and gone on with: all ends equal."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from integration import task_file
from integration.background import repeating
from integration.commands import Commands
from integration.copy_tables import Pair
from integration.drill_table import TellRow
from integration.simulator.items import Item
from integration.task_file import Settings
from integration.until import until
from integration.worker import Worker
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.launch.copy_mark import CopyState
from kcl_processor.launch.live_mark import read_live_mark
from kcl_processor.table.live_task import WHOLE
from kcl_processor.table.part_row import read_part

# An item is in the replica in every second version, and each version has a key of its own there.
RULES = {"where": "odd", "set": {"sk": "ver"}, "allow_collisions": True}


@pytest.mark.parametrize(
    ("items", "rules"),
    [
        pytest.param(1200, None, marks=pytest.mark.drill),
        pytest.param(1200, RULES, marks=pytest.mark.drill),
        pytest.param(50_000, None, marks=[pytest.mark.drill, pytest.mark.timeout(900)]),
    ],
    ids=["as it is", "by rules", "50,000 items"],
)
def test_a_slow_copy_beside_the_daemon_killed_twice_ends_equal(
    local: str,
    tmp_path: Path,
    tell_row: TellRow,
    items: int,
    rules: Settings | None,
) -> None:
    """Items change, come and go all the while; what is deleted stays so, what moves moves."""
    pair = Pair(local, tmp_path)
    if rules:
        pair.settings["transform"] = rules
        task_file.write(pair.commands.file, pair.name, pair.settings)
    pair.create_filled(range(items), version=1)
    (task,) = load_tasks(pair.commands.file)
    early = pair.run("copy", "--live")
    assert early.returncode == ExitCode.CONFIG, early.stderr
    assert "No daemon of task orders was started" in early.stderr

    with live_writes(pair, items) as made, pair.at_work("run") as worker:
        until(lambda: follows(pair, worker), "the daemon follows")
        for number, least in enumerate((items // 5, items // 2)):
            host = Commands(pair.commands.file, tmp_path / f"host-{number}")
            line = host.line("copy", "--live", "--max-wcu", str(items // 40), "--processes", "2")
            with Worker(line, host.state / "copy.log") as copying:
                until_read(task, least)
                copying.kill()
        assert state(task) is CopyState.BEGUN
        there = Commands(pair.commands.file, tmp_path / "there")
        with Worker(there.line("copy", "--live"), there.state / "copy.log") as copying:
            assert copying.wait(480) == ExitCode.OK, copying.log()
        assert len(made) > 100
        assert worker.running(), worker.log()
    with pair.at_work("run"):
        fits = "both sides fit"
        until(lambda: expected(pair, rules) == pair.contents(pair.replica), fits, 120, every=1)
        verified = pair.run("verify")
        assert verified.returncode == ExitCode.OK, verified.stdout + verified.stderr
    copied = read_part(task, WHOLE)
    assert copied is not None and copied.items >= copied.written > 0
    if rules is None:
        speed = f"{items:,} items, {copied.items / copied.seconds:.0f} items/s at work"
        row = pair.row("copy --live beside the daemon killed", 2, len(made), speed)
        tell_row(row)
        assert not row.lost
    again = there.run("copy", "--live")
    assert again.returncode == ExitCode.OK and "finished before" in again.stderr, again.stderr


def test_a_copy_that_start_set_beside_its_daemon_ends_and_goes_on_with_it(
    local: str, tmp_path: Path
) -> None:
    """A stop in the midst of it ends both; started again, both go on, and both sides are equal."""
    pair = Pair(local, tmp_path)
    pair.create_filled(range(600))
    (task,) = load_tasks(pair.commands.file)
    words = ("start", "--log-dir", str(pair.folder))
    with Worker(pair.commands.line(*words, "--max-wcu", "40"), tmp_path / "first.log") as first:
        until_read(task, 100)
        assert first.stop() == ExitCode.OK
        until(lambda: "Stopped. " in first.log(), "the copy has ended, too", 30)
    assert read(task) < 600
    with Worker(pair.commands.line(*words), tmp_path / "second.log") as second:
        until(lambda: state(task) is CopyState.DONE, "the copy is done", 120)
        until(pair.equal, "both sides are equal", 60)
        assert second.running(), second.log()
        assert second.stop() == ExitCode.OK
    with Worker(pair.commands.line(*words), tmp_path / "third.log") as third:
        until(lambda: "nothing is copied" in third.log(), "the daemon goes on alone")


def state(task: Task) -> CopyState | None:
    """How far the copy is."""
    mark = read_live_mark(task)
    return mark.state if mark else None


def read(task: Task) -> int:
    """How many items are read, as far as that is known."""
    found = read_part(task, WHOLE)
    return found.items if found else 0


def until_read(task: Task, least: int) -> None:
    """Wait until so many items are copied, and known to be so."""
    until(lambda: read(task) >= least, f"{least} items are read", 300, every=0.5)


@contextmanager
def live_writes(pair: Pair, items: int) -> Iterator[list[int]]:
    """A thread that puts, changes and deletes items, many times a second."""
    made: list[int] = []
    dice = random.Random(1)

    def write() -> None:
        number = dice.randrange(items * 11 // 10)
        match dice.randrange(5):
            case 0 | 1:
                pair.delete(pair.source, number)
            case 2:
                # As it was at the begin: what is the same is told from what was laid by nothing.
                pair.put(pair.source, number, 1)
            case _:
                pair.put(pair.source, number, len(made) + 1)
        made.append(number)

    with repeating(write, 0.02):
        yield made


def expected(pair: Pair, rules: Settings | None) -> dict[str, Item]:
    """What the replica is to hold."""
    items = pair.contents(pair.source)
    if rules is None:
        return items
    laid = [item | {"sk": item["ver"]} for item in items.values() if "odd" in item]
    return {repr([item["pk"], item["sk"]]): item for item in laid}


def follows(pair: Pair, worker: Worker) -> bool:
    """Whether a change has come to the destination; the daemon must be alive."""
    assert worker.running(), worker.log()
    return bool(pair.contents(pair.replica))
