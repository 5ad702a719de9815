"""The verify command on DynamoDB Local, with nothing replicating."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.copy_tables import Pair, copy_command
from integration.local_tables import BINARY_KEYS, HASH_ONLY, Keys
from integration.simulator.client import SimulatorProcess
from kcl_processor.errors import ExitCode


@pytest.mark.parametrize("keys", [HASH_ONLY, BINARY_KEYS])
def test_finds_and_repairs(local: str, tmp_path: Path, keys: Keys) -> None:
    """Each kind of difference is told without values, then made good as far as was asked for."""
    pair = Pair(local, tmp_path, keys=keys)
    pair.create()
    pair.fill(range(50))
    for number in range(1, 50):
        pair.put(pair.replica, number, 1 if number == 7 else 0)
    pair.put(pair.replica, 99)
    report = tmp_path / "report"
    verify = ("verify", "--patience", "0", "--report", str(report))
    found = pair.run(*verify, "--json")
    assert found.returncode == ExitCode.CRASH, found.stderr
    total = json.loads(found.stdout)["total"]
    assert (total["source"], total["destination"]) == (50, 50)
    assert (total["missing"], total["extra"], total["changed"]) == (1, 1, 1)
    assert report.stat().st_mode & 0o777 == 0o600
    lines = {line["kind"]: line for line in map(json.loads, report.read_text().splitlines())}
    assert lines["changed"]["attributes"] == ["odd", "ver"]
    assert all("source" not in line for line in lines.values())
    assert pair.run(*verify, "--repair", "--dry-run").returncode == ExitCode.CRASH
    assert pair.run(*verify, "--repair", "--show-values").returncode == ExitCode.CRASH
    left = [json.loads(line) for line in report.read_text().splitlines()]
    assert {line["outcome"] for line in left} == {"put", "left"}
    assert any("odd" in (line["destination"] or {}) for line in left)
    assert pair.run(*verify, "--repair", "--delete-extra").returncode == ExitCode.OK
    assert pair.equal()


def test_compares_a_part(local: str, tmp_path: Path) -> None:
    """One segment, or a sample of them, and the whole is the sum of the segments."""
    pair = Pair(local, tmp_path)
    pair.create()
    pair.fill(range(200))

    def totals(*arguments: str) -> dict[str, int]:
        done = pair.run("verify", "--patience", "0", "--json", *arguments)
        found: dict[str, int] = json.loads(done.stdout)["total"]
        return found

    parts = [totals("--segment", f"{number}/3") for number in range(3)]
    assert sum(part["source"] for part in parts) == 200
    assert sum(part["missing"] for part in parts) == 200
    assert 0 < totals("--sample", "20%")["source"] < 100
    assert pair.run("verify", "--segment", "3/3").returncode == ExitCode.CONFIG
    assert pair.run("verify", "--delete-extra").returncode == ExitCode.CONFIG


def test_throttling_costs_time_alone(local: str, tmp_path: Path) -> None:
    """Scans of both sides that are throttled now and then are repeated."""
    with SimulatorProcess(preload=3000, keys=3000, behind=local) as simulator:
        command = copy_command(simulator, local, tmp_path)
        assert command.run("copy").returncode == ExitCode.OK
        throttled = [{"kind": "ThrottlingException", "share": 0.2, "operation": "Scan"}]
        simulator.faults(throttled, throttled)
        done = command.run("verify", "--patience", "0")
        assert done.returncode == ExitCode.OK, done.stderr
        assert "0 differ, 0 undecided" in done.stdout
