"""In place of the original: ours goes on where a real KCL 1.x was killed."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration import local_tables
from integration.clients import client
from integration.local_tables import SOURCE_REGION
from integration.simulator.client import SimulatorProcess
from integration.story import assert_replicated
from integration.until import until
from integration.worker import Worker
from kcl_processor.config.task import APPLICATION_PREFIX
from kcl_processor.errors import ConfigError
from kcl_processor.launcher.build import compile_java
from kcl_processor.launcher.jars import join_class_path, resolve
from kcl_processor.launcher.java import find_java

# It takes jars that nothing else needs.
pytestmark = [pytest.mark.story, pytest.mark.drill]

_CHANGES, _BATCH = 600, 50
_TASK = "original"


@dataclass
class Replaced:
    """A simulated stream of which the original has read a part, and its checkpoint table."""

    simulator: SimulatorProcess
    kcl: str
    # Where each change is: its shard and its sequence number.
    changes: list[tuple[str, int]]

    def flags(self) -> list[str]:
        """The original's command line, for both."""
        pairs = {
            "--taskName": _TASK,
            "--sourceTable": self.simulator.ready["table"],
            "--destinationTable": self.simulator.ready["destination_table"],
            "--batchSize": str(_BATCH),
            "--parentShardPollIntervalMillis": "500",
        }
        sides = {
            "source": self.simulator.source_url,
            "destination": self.simulator.destination_url,
            "kcl": self.kcl,
        }
        for side, url in sides.items():
            pairs |= {f"--{side}Region": SOURCE_REGION, f"--{side}Endpoint": url}
        return ["--dontPublishCloudwatch", *(word for pair in pairs.items() for word in pair)]

    def checkpoints(self) -> dict[str, str]:
        """What the checkpoint table says, by shard; empty before there is one."""
        side = client("dynamodb", self.kcl, SOURCE_REGION)
        table = APPLICATION_PREFIX + _TASK
        if table not in side.list_tables()["TableNames"]:
            return {}
        rows = local_tables.items(side, table)
        return {row["leaseKey"]["S"]: row["checkpoint"]["S"] for row in rows}

    def unread(self) -> int:
        """How many changes the checkpoints do not cover."""
        checkpoints = self.checkpoints()
        return sum(
            not _covers(checkpoints.get(shard, "TRIM_HORIZON"), sequence)
            for shard, sequence in self.changes
        )

    def in_batches(self) -> bool:
        """Whether open shards stand past a checkpoint, an ended one is done, and a batch is on."""
        checkpoints = list(self.checkpoints().values())
        numbers = sum(checkpoint.isdigit() for checkpoint in checkpoints)
        written = int(self.simulator.verdict()["writes"])
        in_flight = written - (_CHANGES - self.unread())
        return "SHARD_END" in checkpoints and numbers == 2 and in_flight >= _BATCH // 2

    def records(self) -> int:
        """How many records the stream has given out."""
        return int(self.simulator.status()["source"]["calls"]["records"])


def _covers(checkpoint: str, sequence: int) -> bool:
    return checkpoint == "SHARD_END" or (checkpoint.isdigit() and int(checkpoint) >= sequence)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of the original's worker, to which its flags are added."""
    java, classes = find_java().path, tmp_path_factory.mktemp("classes")
    try:
        jars = resolve("original")
    except ConfigError as error:
        pytest.skip(f"a Maven repository has KCL 1.x, and is not to be had: {error}")
    compile_java(java, Path(__file__).parent / "original", jars, classes)
    # Its JSON parser makes exceptions, whose fields Java 17 keeps from it.
    opened = ["--add-opens", "java.base/java.lang=ALL-UNNAMED"]
    path = join_class_path([classes, *jars])
    return [str(java), "-Xmx256m", *opened, "-cp", path, "original.OriginalWorker"]


def test_ours_goes_on_where_a_killed_original_stood(
    original: list[str], local: str, tmp_path: Path
) -> None:
    """With the same flags; nothing is read or written again but the batches in flight."""
    with SimulatorProcess(behind=local, lineages=2) as simulator:
        changes = []
        for number in range(_CHANGES):
            if number == _CHANGES // 4:
                # A shard that is read to its end, and a child that is not.
                simulator.control(rollover=0)
            made = simulator.control(change={"number": number})["change"]
            changes.append((made["shard"], int(made["sequence"])))
        simulator.faults(destination=[{"kind": "latency", "milliseconds": 20}])
        replaced = Replaced(simulator, local, changes)

        with Worker([*original, *replaced.flags()], tmp_path / "original.log") as theirs:
            until(lambda: replaced.in_batches() or not theirs.running(), "it is in a batch", 120)
            assert theirs.running(), theirs.log()
            theirs.signal_host(signal.SIGKILL)
        unread, read = replaced.unread(), replaced.records()
        assert 0 < unread < _CHANGES

        ours = [sys.executable, "-m", "kcl_processor", "run", *replaced.flags()]
        places = ["--state-dir", str(tmp_path / "state"), "--log-dir", str(tmp_path)]
        with Worker([*ours, *places], tmp_path / "run.log") as worker:
            until(lambda: simulator.status()["behind"] == 0, "all is there", 120, every=0.5)
            assert worker.running(), worker.log()
        assert replaced.records() - read == unread
        verdict = simulator.verdict()
        assert_replicated(verdict)
        assert verdict["replay"] == 0
        # One batch of each open shard.
        assert 0 < verdict["repeat"] <= 2 * _BATCH
