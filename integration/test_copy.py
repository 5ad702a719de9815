"""Copies of real tables on DynamoDB Local, and of simulated ones that fail on demand."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from integration import local_tables
from integration.background import repeating
from integration.copy_tables import Pair, copy_command
from integration.local_tables import BINARY_KEYS, HASH_AND_RANGE, HASH_ONLY, LEASE_KEYS, Keys
from integration.simulator.client import SimulatorProcess
from integration.until import until
from integration.worker import Worker
from kcl_processor.errors import ExitCode
from kcl_processor.table.copy_progress import load


@pytest.fixture(scope="module")
def pairs(local: str, tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """Tables made ahead, since a copy waits until a stream has been on for some seconds."""
    made = [
        Pair(local, tmp_path_factory.mktemp("copy"), keys=keys)
        for keys in (HASH_ONLY, BINARY_KEYS, *[HASH_AND_RANGE] * 6)
    ]
    for pair in made:
        pair.create()
    return made


@pytest.fixture
def pair(pairs: list[Pair]) -> Pair:
    """Tables with a hash and a range key."""
    return pairs.pop()


@pytest.mark.parametrize("keys", [HASH_AND_RANGE, HASH_ONLY, BINARY_KEYS])
def test_copies_items_of_every_type(pairs: list[Pair], keys: Keys) -> None:
    """Both sides are equal afterwards, whatever the keys; the end says what was done."""
    pair = pairs.pop(next(at for at, pair in enumerate(pairs) if pair.keys == keys))
    pair.fill(range(300))
    done = pair.run("copy")
    assert done.returncode == ExitCode.OK, done.stderr
    assert done.stdout.splitlines()[1].split()[:4] == ["orders", "300", "300", "0"]
    assert re.search("Next: kcl-processor run .*orders, before", done.stderr)
    assert pair.equal()
    again = pair.run("copy", "--status", "--json")
    row = json.loads(again.stdout)
    assert (row["state"], row["items"], row["segments_done"]) == ("done", 300, 32)
    assert pair.run("copy").returncode == ExitCode.OK, "a finished copy is left as it is"


def test_copies_nothing_and_much(pair: Pair) -> None:
    """A table without items is copied at once; an item of 390 KB like any other."""
    assert pair.run("copy").returncode == ExitCode.OK
    assert pair.contents(pair.replica) == {}
    pair.put(pair.source, 1, big={"B": b"\x00\xff" * 195_000})
    (pair.folder / "orders.copy.json").write_text("{")
    broken = pair.run("copy")
    assert broken.returncode == ExitCode.CONFIG and "--restart" in broken.stderr
    done = pair.run("copy", "--restart")
    assert done.returncode == ExitCode.OK, done.stderr
    assert pair.equal()


def test_refuses_a_destination_with_items(pair: Pair) -> None:
    """Only an empty destination is filled, unless the operator says otherwise."""
    pair.fill(range(5))
    pair.put(pair.replica, 9)
    refused = pair.run("copy")
    assert refused.returncode == ExitCode.DESTINATION
    assert re.search("Try: kcl-processor copy .*--no-to-empty-only orders", refused.stderr)
    assert len(pair.contents(pair.replica)) == 1
    assert pair.run("copy", "--no-to-empty-only").returncode == ExitCode.OK
    assert len(pair.contents(pair.replica)) == 6


def test_refuses_while_the_daemon_is_alive(pair: Pair) -> None:
    """Leases that move are a daemon's; nothing is written beside it."""
    pair.fill(range(5))
    with moving_lease(pair):
        refused = pair.run("copy")
    assert refused.returncode == ExitCode.CONFIG
    assert "is running" in refused.stderr
    assert pair.contents(pair.replica) == {}


def test_plans_before_there_is_a_destination(local: str, tmp_path: Path) -> None:
    """All ways are compared by time and cost, with what to type."""
    pair = Pair(local, tmp_path)
    local_tables.create(pair.source, pair.table, pair.keys)
    pair.fill(range(30))
    done = pair.run("copy", "--plan")
    assert done.returncode == ExitCode.OK, done.stderr
    assert "30 items x ceil(" in done.stdout
    assert "copy orders --managed --bucket BUCKET" in done.stdout
    ways = json.loads(pair.run("copy", "--plan", "--json").stdout)
    assert [way["name"] for way in ways] == ["copy", "copy --live", "export and import"]


def test_a_stopped_copy_says_how_to_go_on(pair: Pair) -> None:
    """SIGTERM ends it soon, whatever it waits for, and the next run finishes it."""
    pair.fill(range(400))
    with Worker(pair.commands.line("copy", "--max-wcu", "10"), pair.folder / "log") as copy:
        until((pair.folder / "orders.copy.json").exists, "the copy is at work", 30)
        copy.ask_to_stop()
        assert copy.wait(10) == 130, copy.log()
    assert "--max-wcu 10" in copy.log() and "goes on from here" in copy.log()
    assert pair.run("copy").returncode == ExitCode.OK
    assert pair.equal()


def test_limits_the_rate(pair: Pair) -> None:
    """A copy stays under its write units, within one request's worth."""
    pair.fill(range(400))
    done = pair.run("copy", "--max-wcu", "100")
    assert done.returncode == ExitCode.OK, done.stderr
    progress = load(pair.folder / "orders.copy.json")
    assert progress is not None
    assert progress.write_units == 400
    assert 3.5 < progress.seconds < 8


def test_a_killed_copy_repeats_at_most_a_page_a_segment(local: str, tmp_path: Path) -> None:
    """After kill -9 in the middle, the next run goes on; a copy beside a copy is refused."""
    with SimulatorProcess(preload=8000, keys=8000, behind=local) as simulator:
        slow = [{"kind": "latency", "milliseconds": 500}]
        simulator.faults(slow, slow)
        command = copy_command(simulator, local, tmp_path)
        with Worker(command.line("copy", "--processes", "2"), tmp_path / "log") as first:
            until(lambda: items_copied(tmp_path) > 1000, "the copy is at work")
            assert command.run("copy").returncode == ExitCode.CONFIG
            first.kill()
        copied = items_copied(tmp_path)
        assert command.run("copy", "--status").returncode == ExitCode.NOT_RUNNING
        simulator.faults([], [])
        done = command.run("copy")
        assert done.returncode == ExitCode.OK, done.stderr
        verdict = simulator.verdict()
        assert verdict["equal"], verdict
        assert copied < items_copied(tmp_path), "it was killed in the middle"
        # Six segments at work in each of two processes, and pages of 128 KB with items of 1 KB.
        assert verdict["repeat"] <= 2 * 6 * 128


def test_a_process_of_a_copy_that_is_killed_ends_it_by_name(local: str, tmp_path: Path) -> None:
    """No other goes on without it, and the next run copies what is left."""
    with SimulatorProcess(preload=4000, keys=4000, behind=local) as simulator:
        slow = [{"kind": "latency", "milliseconds": 500}]
        simulator.faults(slow, slow)
        command = copy_command(simulator, local, tmp_path)
        with Worker(command.line("copy", "--processes", "3"), tmp_path / "log") as copy:
            until(lambda: items_copied(tmp_path) > 100, "the copy is at work")
            workers = psutil.Process(copy.pid).children()
            workers[1].kill()
            assert copy.wait(30) == ExitCode.CRASH, copy.log()
        assert len(workers) == 3
        assert f"A process of this command, {workers[1].pid}, was killed by SIGKILL" in copy.log()
        assert re.search("Try: kcl-processor copy .*orders goes on from here", copy.log())
        assert not any(map(psutil.Process.is_running, workers))
        simulator.faults([], [])
        done = command.run("copy")
        assert done.returncode == ExitCode.OK, done.stderr
        assert simulator.verdict()["equal"]


def test_a_throttled_destination_gets_every_item(local: str, tmp_path: Path) -> None:
    """Throttling and unprocessed items cost time and nothing else."""
    with SimulatorProcess(preload=400, keys=400, behind=local) as simulator:
        throttled = "ProvisionedThroughputExceededException"
        simulator.faults(
            [{"kind": throttled, "share": 0.2, "operation": "Scan"}],
            [{"kind": throttled, "share": 0.2}, {"kind": "unprocessed", "share": 0.2}],
        )
        command = copy_command(simulator, local, tmp_path)
        # The destination's own check for items is a boto3 call that gives up after five attempts.
        done = command.run("copy", "--no-to-empty-only")
        assert done.returncode == ExitCode.OK, done.stderr
        assert simulator.verdict()["equal"]
        progress = load(tmp_path / "orders.copy.json")
        assert progress is not None and progress.read_throttled and progress.write_throttled


def items_copied(folder: Path) -> int:
    """How many items a copy's progress file tells of."""
    progress = load(folder / "orders.copy.json")
    return progress.items if progress else 0


@contextmanager
def moving_lease(pair: Pair) -> Iterator[None]:
    """A lease table with one lease whose counter a thread keeps raising."""
    table = f"leases-{pair.table}"
    local_tables.create(pair.source, table, LEASE_KEYS)
    counter = itertools.count()

    def renew() -> None:
        lease = {"leaseKey": {"S": "shard"}, "leaseCounter": {"N": str(next(counter))}}
        pair.source.put_item(TableName=table, Item=lease)

    renew()
    with repeating(renew, 0.2):
        yield
