"""A proof that stands: kept up beside the tables, killed, and gone on with from elsewhere."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections import deque
from itertools import count
from pathlib import Path

import pytest

from integration.background import repeating
from integration.commands import Commands
from integration.copy_tables import Pair
from integration.until import until
from integration.worker import Worker
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.launch.proof import read_proof, read_proof_parts
from kcl_processor.launch.proof_part import PartProof

# About five seconds a part, for one that is to be killed amid it; and a tenth of that.
GENTLE, SWIFT = ("--max-rcu", "5"), ("--max-rcu", "50")


def test_a_proof_survives_a_kill_and_tells_what_differs(local: str, tmp_path: Path) -> None:
    """A round goes on on another host where it was; a planted difference is told by every view
    until it is repaired, and the age falls again."""
    pair = Pair(local, tmp_path)
    pair.create()
    pair.fill(range(2000))
    assert pair.run("copy", "--force").returncode == ExitCode.OK
    assert pair.run("verify", "--patience", "0").returncode == ExitCode.OK
    assert pair.commands.status()["differences"] == 0
    pair.delete(pair.replica, 1234)
    report = tmp_path / "report"
    words = ("verify", "--continuous", "--patience", "0", "--report", str(report))
    with Worker(pair.commands.line(*words, *GENTLE), tmp_path / "here" / "log") as killed:
        until(lambda: _cut_off(pair), "a part is half compared", 90)
        killed.kill()
    before = _cut_off(pair)
    assert before
    there = Commands(pair.commands.file, tmp_path / "there")
    with Worker(there.line(*words, *SWIFT), tmp_path / "second" / "log") as second:
        until(lambda: len(_compared(pair)) == 8, "all parts are compared", 120)
        second.stop()
    after = _compared(pair)[before.part]
    assert (after.began_at, after.done[: len(before.done)]) == (before.began_at, before.done)
    told = there.status()
    assert told["differences"] == 1 and told["proven"] > 20
    assert "orders: 1 key differs, as verify has found" in there.run("status").stdout
    health = there.run("health", "--max-proof-age", "3600", "--json")
    assert "keys differ, as verify has found" in json.loads(health.stdout)["problems"]
    assert _metrics(there, tmp_path)["kcl_processor_open_differences"] == 1
    (line,) = map(json.loads, report.read_text().splitlines())
    assert line["key"] == pair.key(1234)
    assert there.run("verify", "--recheck", str(report), "--patience", "0").returncode == 1
    repaired = there.run("verify", "--resume", "--repair", "--patience", "0")
    assert repaired.returncode == ExitCode.OK, repaired.stderr
    assert pair.equal()
    told = there.status()
    assert told["differences"] == 0 and told["proven"] < 20
    settled = there.run("verify", "--recheck", str(report), "--patience", "0")
    assert settled.returncode == ExitCode.OK and "1 of 1 are settled" in settled.stdout
    assert there.run("uninstall", "--yes").returncode == ExitCode.OK
    (task,) = load_tasks(there.file)
    assert read_proof(task) is None


@pytest.mark.drill
def test_changes_on_their_way_are_no_differences(local: str, tmp_path: Path) -> None:
    """The replica is a second behind all the time, and what differs for good is found beside it."""
    pair = Pair(local, tmp_path)
    pair.create()
    pair.fill(range(300))
    assert pair.run("copy", "--force").returncode == ExitCode.OK
    pair.delete(pair.replica, 299)
    arriving: deque[tuple[float, int, int]] = deque()
    versions = count(1)

    def change() -> None:
        version = next(versions)
        number = version * 7 % 299
        pair.put(pair.source, number, version)
        arriving.append((time.monotonic() + 1, number, version))
        while arriving and arriving[0][0] <= time.monotonic():
            pair.put(pair.replica, *arriving.popleft()[1:])

    with repeating(change, 0.02):
        done = pair.run("verify", "--resume", "--patience", "6", "--max-rcu", "20", "--json")
    assert done.returncode == ExitCode.CRASH, done.stderr
    total = json.loads(done.stdout)["total"]
    assert (total["missing"], total["changed"], total["extra"], total["undecided"]) == (1, 0, 0, 0)
    told = pair.commands.status()
    assert (told["differences"], told["proven"]) == (1, None)


def _parts(pair: Pair) -> list[PartProof]:
    (task,) = load_tasks(pair.commands.file)
    mark = read_proof(task)
    return [part for part, _ in read_proof_parts(task, mark) if part] if mark else []


def _cut_off(pair: Pair) -> PartProof | None:
    """The part that is under way, if some of it is compared and some is not."""
    under_way = (part for part in _parts(pair) if part.finished_at is None)
    return next((part for part in under_way if part.done and part.left), None)


def _compared(pair: Pair) -> dict[int, PartProof]:
    return {part.part: part for part in _parts(pair) if part.compared_at}


def _metrics(commands: Commands, folder: Path) -> dict[str, float]:
    """What the exporter says of the proof, once it has looked."""
    with Worker(commands.line("exporter", "--port", "0"), folder / "exporter" / "log") as exporter:
        until(lambda: "/metrics" in exporter.log(), "the exporter serves")
        (url,) = re.findall(r"http://\S+/metrics", exporter.log())
        found: dict[str, float] = {}

        def look() -> bool:
            with urllib.request.urlopen(url, timeout=10) as answer:
                page = answer.read().decode()
            pairs = re.findall(r'^(kcl_\w+)\{task="orders"\} (\S+)$', page, re.MULTILINE)
            found.update((name, float(value)) for name, value in pairs)
            return "kcl_processor_proven_seconds" in found

        until(look, "the exporter has looked at the proof")
        return found
