"""A table is replicated by the real KCL: every type, stops and kills, flags, files and scripts."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from integration import local_tables
from integration.replica import Replica
from integration.until import until
from integration.worker import Worker
from kcl_processor.demo.items import every_type
from kcl_processor.errors import ExitCode

ROOT = Path(__file__).parents[1]


@pytest.fixture
def replica(local: str, tmp_path: Path) -> Replica:
    return Replica(local, tmp_path)


def test_every_type_arrives_and_a_killed_daemon_resumes(replica: Replica) -> None:
    """Items of every type, updates and deletes arrive; kill -9 loses nothing; SIGTERM exits 0."""
    for number in range(100):
        replica.put(f"k{number}", **without_key(every_type("k", 0)))
    with replica.worker() as daemon:
        replica.until_equal()
        daemon.kill()
    for number in range(50):
        replica.put(f"k{number}", **without_key(every_type("k", 1)))
        replica.delete(f"k{number + 50}")
    with replica.worker() as daemon:
        replica.until_equal()
        assert len(replica.items(replica.destination)) == 50
        assert daemon.stop() == 0
    last = replica.source.describe_table(TableName=replica.table)["Table"]["LatestStreamArn"]
    (lease,) = replica.leases()
    assert lease["checkpoint"]["S"].isdigit(), f"{last} was not checkpointed at the stop: {lease}"


def test_a_table_that_is_empty_at_the_start_is_replicated(replica: Replica) -> None:
    """DynamoDB Local calls the first change of a shard that was read empty trimmed."""
    with replica.worker() as daemon:
        until(daemon.children, "its shard has a record processor", 60)
        # Whatever another table takes in moves Local's sequence numbers on.
        moved = replica.leases()
        until(lambda: replica.leases() != moved, "the lease is renewed", 30)
        replica.put("a", v={"N": "1"})
        until(lambda: "a" in replica.items(replica.destination), "the first change arrives", 30)
        assert daemon.stop() == 0


def test_a_graceful_stop_leaves_nothing_to_read_again(replica: Replica) -> None:
    """After SIGINT and a start, the destination gets no write that it already had."""
    replica.put("a", v={"N": "1"})
    with replica.worker() as daemon:
        replica.until_equal()
        assert daemon.stop(signal.SIGINT) == 0
    # What only the destination holds would be overwritten by a replay.
    replica.destination.put_item(TableName=replica.table, Item={"pk": {"S": "a"}, "v": {"N": "-1"}})
    replica.put("b")
    with replica.worker():
        until(lambda: "b" in replica.items(replica.destination), "the next change arrives")
    assert replica.items(replica.destination)["a"]["v"] == {"N": "-1"}


def test_a_destination_that_is_made_anew_ends_an_idle_daemon(replica: Replica) -> None:
    """It would take the next change, and lack all that was written before."""
    replica.put("a")
    with replica.worker() as daemon:
        replica.until_equal()
        replica.destination.delete_table(TableName=replica.table)
        local_tables.create(replica.destination, replica.table, local_tables.HASH_ONLY)
        assert daemon.wait(60) == ExitCode.CONFIG
        assert "was made anew" in daemon.log()
    with replica.worker() as again:
        assert again.wait(30) == ExitCode.CONFIG


def test_a_second_start_with_the_same_worker_id_is_refused(replica: Replica) -> None:
    """Two live workers of one id would break each other's leases: the second one exits with 2."""
    command = replica.commands().line("run")
    with Worker(command, replica.folder / "run.log") as first:
        replica.put("a")
        replica.until_equal()
        with Worker(command, replica.folder / "second.log") as second:
            assert second.wait(30) == 2
            assert "already runs on this host" in second.log()
        assert first.running()


def test_two_tasks_run_side_by_side(local: str, tmp_path: Path) -> None:
    """Two replicas on one machine, with their logs in one folder, keep out of each other's way."""
    one, two = Replica(local, tmp_path), Replica(local, tmp_path)
    with one.worker("one.log"), two.worker("two.log"):
        one.put("a")
        two.put("b")
        one.until_equal()
        two.until_equal()
    for replica in (one, two):
        for name in ("kcl.log", "connectors.log"):
            assert (tmp_path / f"{replica.task}-{name}").stat().st_size > 0


def test_the_printed_command_starts_the_daemon(
    replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What render writes and the script prints replicates; the stock script reads it, too."""
    # As in an activated environment: the daemon finds the record processor by its name.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    done = replica.commands().run("render", "--out", str(replica.folder))
    assert done.returncode == 0, done.stderr
    rendered = done.stdout.strip()
    printed = helper(ROOT / "scripts" / "kcl_processor_helper.py", "--print_command", rendered)
    with Worker(shlex.split(printed), replica.folder / "run.log") as daemon:
        replica.put("a", v={"N": "1"})
        replica.until_equal()
        assert daemon.stop() == 0
    from samples import amazon_kclpy_helper

    stock = helper(Path(amazon_kclpy_helper.__file__), "--print_classpath", rendered)
    assert str(replica.folder) in stock.split(":")


def helper(script: Path, what: str, properties: str) -> str:
    command = [sys.executable, str(script), what, "--properties", properties]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def without_key(item: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in item.items() if name != "pk"}
