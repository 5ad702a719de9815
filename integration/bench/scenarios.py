"""What is measured: each scenario is a load, and the figures that one run on it gives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integration.bench.subject import OURS
from integration.bench.usage import INTERVAL, Usage
from integration.simulator.client import Option, SimulatorProcess
from integration.until import until
from integration.worker import Worker

Figures = dict[str, float]
MEGABYTE = 1 << 20
# Two figures of `Bench.used`.
CPU, MEMORY = "JVM + children CPU, s", "JVM + children PSS, MB"
# Seconds that anything may take; a foreign worker id waits for two minutes after a kill.
DEADLINE = 240.0


@dataclass
class Bench:
    """One run at work: the simulator, the subject on it, and what the subject uses."""

    simulator: SimulatorProcess
    subject: Worker
    usage: Usage
    started: float = field(default_factory=time.time)

    def until(self, true: Callable[[], bool], what: str, every: float = 0.2) -> None:
        """Poll a condition. Raises RuntimeError if the subject ends first, and TimeoutError."""

        def true_of_the_living() -> bool:
            if not self.subject.running():
                raise RuntimeError(f"ended with {self.subject.wait()}: {self.subject.log()[-500:]}")
            return true()

        until(true_of_the_living, what, DEADLINE, every=every)

    def first_write(self) -> float:
        """Wait for the first write since the last reset; return when it was, in epoch seconds."""
        verdict = self.simulator.verdict
        self.until(lambda: verdict()["first_write"] is not None, "the first write")
        return float(self.simulator.verdict()["first_write"])

    def settled(self) -> dict[str, Any]:
        """Stop the load and wait for everything to arrive. Raises RuntimeError if it does not."""
        verdict = self.simulator.settle(DEADLINE)
        if not verdict["equal"]:
            raise RuntimeError(f"source and destination differ: {verdict['examples']}")
        return verdict

    def used(self) -> Figures:
        """What the subject and the simulator have used so far."""
        jvm, child, together = (self.usage.peak[role] for role in ("jvm", "child", "together"))
        cpu = self.usage.cpu()
        return {
            "JVM CPU, s": cpu["jvm"],
            "child CPU, s": cpu["child"],
            CPU: cpu["jvm"] + cpu["child"],
            "simulator CPU, s": self.simulator.cpu_seconds(),
            "JVM memory, MB": jvm.resident / MEGABYTE,
            "JVM + children memory, MB": together.resident / MEGABYTE,
            "JVM PSS, MB": jvm.proportional / MEGABYTE,
            "children PSS, MB": child.proportional / MEGABYTE,
            MEMORY: together.proportional / MEGABYTE,
        }

    def busy(self, seconds: float) -> Figures:
        """Wait, and return what the subject used of a core meanwhile."""
        before = self.usage.cpu()
        time.sleep(seconds)
        after = self.usage.cpu()
        jvm, child = (100 * (after[role] - before[role]) / seconds for role in ("jvm", "child"))
        return {"JVM CPU, % of a core": jvm, "children CPU, % of a core": child}

    def reads(self) -> float:
        """The most reads of a shard in one second."""
        most = self.simulator.status()["source"]["most_in_a_second"]
        return float(
            max((n for name, n in most.items() if name.startswith("GetRecords")), default=0)
        )


@dataclass(frozen=True)
class Scenario:
    """A load on the simulator, and what to do and to measure while it runs.

    `milliseconds` is the round trip to the destination, `ours` our command for it, as in `Subject`;
    `before` is done before there is any latency, with the file of the task; `look` is the time
    between two looks at the memory, in seconds. `shards` is its place on the curve over shards;
    one without is a bar.
    """

    title: str
    load: dict[str, Option]
    milliseconds: int
    measure: Callable[[Bench], Figures]
    ours: str = OURS
    source_milliseconds: int = 0
    before: Callable[[Path], None] = lambda _tasks: None
    look: float = INTERVAL
    shards: int | None = None


def throughput(bench: Bench) -> Figures:
    """A backlog, from the first start on."""
    bench.until(lambda: not bench.simulator.status()["behind"], "every change", every=1.0)
    verdict = bench.settled()
    seconds = verdict["last_write"] - verdict["first_write"]
    return {
        "changes/s": bench.simulator.status()["changes"] / seconds,
        **bench.used(),
        "most reads of a shard in a second": bench.reads(),
    }


def latency(bench: Bench) -> Figures:
    """Small changes, from the source's clock to the destination's."""
    bench.first_write()
    time.sleep(10)
    bench.simulator.control(reset_measurements=None)
    busy = bench.busy(30)
    measured = bench.settled()["latency_ms"]
    return {
        "p50, ms": measured["p50"],
        "p99, ms": measured["p99"],
        "most reads of a shard in a second": bench.reads(),
        **busy,
    }


def catch_up(bench: Bench) -> Figures:
    """The destination is away for 20 seconds while changes go on."""
    bench.first_write()
    time.sleep(5)
    bench.simulator.control(outage={"endpoint": "destination", "seconds": 20})
    time.sleep(20)
    ended = time.monotonic()
    backlog = bench.simulator.status()["behind"]
    bench.until(lambda: bench.simulator.status()["behind"] < 100, "all but 100 keys")
    return {
        "keys behind at its end": backlog,
        "seconds until caught up": time.monotonic() - ended,
    }


def start_up(bench: Bench) -> Figures:
    """From nothing: no lease table, no leases."""
    return {"seconds to the first record": bench.first_write() - bench.started}


def restart(bench: Bench) -> Figures:
    """Killed with SIGKILL, and started again at once."""
    bench.first_write()
    time.sleep(8)
    bench.subject.kill()
    bench.simulator.control(reset_measurements=None)
    started = time.time()
    bench.subject.start()
    return {"seconds to the first record": bench.first_write() - started}


def rollover(bench: Bench) -> Figures:
    """Each of four shards ends, one after the other, and has a child that goes on."""
    bench.first_write()
    time.sleep(8)
    bench.simulator.control(reset_measurements=None)
    for lineage in range(4):
        bench.simulator.control(rollover=lineage)
        time.sleep(6)
    pauses = bench.settled()["rollover_pauses_s"]
    return {"mean pause, s": sum(pauses) / len(pauses), "longest pause, s": max(pauses)}


SCENARIOS = {
    "one-shard": Scenario(
        "one shard, 60,000 changes",
        {"lineages": 1, "preload": 60_000, "keys": 60_000},
        80,
        throughput,
    ),
    "eight-shards": Scenario(
        "eight shards, 64,000 changes",
        {"lineages": 8, "preload": 64_000, "keys": 64_000},
        80,
        throughput,
    ),
    "latency": Scenario(
        "100 changes/s on four shards", {"lineages": 4, "rate": 100.0, "keys": 2_000}, 20, latency
    ),
    "catch-up": Scenario(
        "1,000 changes/s on four shards, an outage of 20 s",
        {"lineages": 4, "rate": 1_000.0, "keys": 20_000},
        20,
        catch_up,
    ),
    "start-up": Scenario(
        "first start, four shards",
        {"lineages": 4, "preload": 100, "rate": 20.0, "keys": 200},
        20,
        start_up,
    ),
    "restart": Scenario(
        "restart after kill -9, four shards",
        {"lineages": 4, "preload": 100, "rate": 20.0, "keys": 200},
        20,
        restart,
    ),
    "rollover": Scenario(
        "four rollovers at 200 changes/s",
        {"lineages": 4, "rate": 200.0, "keys": 2_000},
        20,
        rollover,
    ),
}
