"""One table copied by several processes that know of each other by KCL's tables alone."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

from integration.commands import Commands
from integration.copy_tables import copy_command
from integration.simulator.client import SimulatorProcess
from integration.until import until
from integration.worker import Worker
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.table.part_row import read_part
from kcl_processor.table.table_reader import Segment

PARTS = 3
# Of its own: what one leaves unfinished is no other's.
TASK = "in-parts"


def test_parts_that_start_at_once_are_one_copy(local: str, tmp_path: Path) -> None:
    """One begins it, the others join; the last says what is next; each verifies a part."""
    with SimulatorProcess(preload=6000, keys=6000, behind=local) as simulator:
        file = copy_command(simulator, local, tmp_path, TASK).file
        places = [f"{number}/{PARTS}" for number in range(PARTS)]
        hosts = [Commands(file, tmp_path / f"host-{number}") for number in range(PARTS)]
        with ExitStack() as stack:
            parts = [
                stack.enter_context(
                    Worker(host.line("copy", "--part", place), tmp_path / place[0] / "log")
                )
                for host, place in zip(hosts, places, strict=True)
            ]
            for part in parts:
                assert part.wait(120) == ExitCode.OK, part.log()
        assert simulator.verdict()["equal"]
        assert sum("Next: kcl-processor run " in part.log() for part in parts) >= 1
        rows = [
            json.loads(host.run("copy", "--status", "--part", place, "--json").stdout)
            for host, place in zip(hosts, places, strict=True)
        ]
        assert [row["state"] for row in rows] == ["done"] * PARTS
        assert all(row["segments_done"] == row["segments"] == 32 for row in rows)
        again = hosts[0].run("copy", "--part", "1/3")
        assert again.returncode == ExitCode.OK and "finished before" in again.stderr
        compared = [
            host.run("verify", "--patience", "0", "--json", "--part", place)
            for host, place in zip(hosts, places, strict=True)
        ]
        assert [done.returncode for done in compared] == [ExitCode.OK] * PARTS
        sizes = [json.loads(done.stdout)["total"]["source"] for done in compared]
        assert sum(sizes) == sum(row["items"] for row in rows)


def test_a_part_that_was_killed_goes_on_on_another_host(local: str, tmp_path: Path) -> None:
    """What it had written is not copied again; no daemon starts before all parts are there."""
    with SimulatorProcess(preload=6000, keys=6000, behind=local) as simulator:
        here = copy_command(simulator, local, tmp_path, TASK)
        there = Commands(here.file, tmp_path / "there")
        (task,) = load_tasks(here.file)
        first = Segment(0, 2)

        def copied() -> int:
            progress = read_part(task, first)
            return progress.items if progress else 0

        # Six of 32 segments in three seconds, and how far it is is written every five.
        simulator.faults([{"kind": "latency", "milliseconds": 3000, "operation": "Scan"}])
        words = ("copy", "--part", "0/2", "--processes", "1")
        with Worker(here.line(*words), tmp_path / "log") as killed:
            until(lambda: copied() > 300, "the part is at work", 120)
            refused = there.run(*words)
            assert refused.returncode == ExitCode.CONFIG, refused.stderr
            assert "already at work on this host" in refused.stderr
            killed.kill()
        before = copied()
        simulator.faults([])
        done = there.run("copy", "--part", "0/2")
        assert done.returncode == ExitCode.OK, done.stderr
        assert "1 of 2 parts are not copied yet" in done.stderr
        assert simulator.verdict()["repeat"] <= copied() - before
        early = there.run("run")
        assert early.returncode == ExitCode.CONFIG and "is not finished" in early.stderr
        last = there.run("copy", "--part", "1/2")
        assert last.returncode == ExitCode.OK, last.stderr
        assert "Next: kcl-processor run " in last.stderr
        assert simulator.verdict()["equal"]
