"""Many shards on one worker: what a further one costs, at work, idle and when all roll over."""

from __future__ import annotations

import statistics
import time

from integration.bench.scenarios import CPU, MEMORY, Bench, Figures, Scenario, restart

_ALL_THERE = "seconds until all is there"
# What the curve over shards shows.
OVER_SHARDS = (_ALL_THERE, CPU, MEMORY)
# Changes of each shard, of 1 KB.
_CHANGES = 300
# Seconds after which a shard without changes is read at its slowest, and a few more.
_QUIET_SECONDS = 140.0
_IDLE_SECONDS = 60.0


def _first_start(bench: Bench) -> Figures:
    """A backlog in every shard, from a first start on."""
    bench.until(lambda: not bench.simulator.status()["behind"], "every change", every=1.0)
    verdict = bench.settled()
    status = bench.simulator.status()
    begun = status["source"]["calls"]["GetShardIterator"]
    return {
        _ALL_THERE: verdict["last_write"] - bench.started,
        "seconds to the first record": verdict["first_write"] - bench.started,
        **bench.used(),
        "JVM threads": float(bench.usage.threads),
        "processes": float(bench.usage.processes),
        "times a shard was begun": begun / status["shards"],
        "changes written twice": float(verdict["repeat"] + verdict["replay"]),
    }


def _idle(bench: Bench) -> Figures:
    """Shards of which each was read, and then has no changes."""
    bench.until(lambda: _shards_read(bench) == bench.simulator.status()["shards"], "every shard")
    time.sleep(_QUIET_SECONDS)
    calls = _reads(bench)
    bench.usage.begin()
    busy = bench.busy(_IDLE_SECONDS)
    reads = _reads(bench) - calls
    memory, threads = bench.used()[MEMORY], float(bench.usage.threads)
    bench.simulator.control(reset_measurements=None)
    changed = time.time()
    bench.simulator.control(load={"rate": 1000.0})
    time.sleep(2)
    verdict = bench.settled()
    return {
        "JVM + children CPU, % of a core": sum(busy.values()),
        **busy,
        "reads of a shard a second": reads / _IDLE_SECONDS / bench.simulator.status()["shards"],
        MEMORY: memory,
        "JVM threads": threads,
        "first change afterwards, there after ms": 1000 * (verdict["first_write"] - changed),
        "slowest change afterwards, ms": verdict["latency_ms"]["max"],
    }


def _reads(bench: Bench) -> int:
    return int(bench.simulator.status()["source"]["calls"]["GetRecords"])


def _shards_read(bench: Bench) -> int:
    most = bench.simulator.status()["source"]["most_in_a_second"]
    return sum(name.startswith("GetRecords") for name in most)


def _mass_rollover(bench: Bench) -> Figures:
    """Every shard ends at once, and has a child that goes on."""
    bench.first_write()
    bench.until(lambda: bench.simulator.status()["behind"] < 200, "what came before")
    time.sleep(10)
    bench.simulator.control(reset_measurements=None)
    time.sleep(2)
    shards = len(bench.simulator.control(rollover=None)["rollover"])

    def pauses() -> list[float]:
        return list(bench.simulator.verdict()["rollover_pauses_s"])

    bench.until(lambda: len(pauses()) == shards, "a write of every child", every=1.0)
    bench.settled()
    return {"median pause, s": statistics.median(pauses()), "longest pause, s": max(pauses())}


def _start(bench: Bench) -> Figures:
    """A first start, then one after a kill."""
    first = bench.first_write() - bench.started
    cpu = sum(bench.usage.cpu().values())
    (again,) = restart(bench).values()
    return {
        "first start, s to the first record": first,
        "first start, CPU s": cpu,
        "restart, s": again,
        "restart, CPU s": sum(bench.usage.cpu().values()),
    }


def _many_shards(shards: int) -> Scenario:
    changes = shards * _CHANGES
    return Scenario(
        f"first start on {shards} shards, {_CHANGES} changes each",
        {"lineages": shards, "preload": changes, "keys": changes},
        80,
        _first_start,
        shards=shards,
    )


MANY = {
    **{f"many-shards-{shards}": _many_shards(shards) for shards in (8, 32, 128, 256, 512)},
    "idle": Scenario(
        "128 shards without changes",
        {"lineages": 128, "preload": 1_280, "keys": 12_800},
        20,
        _idle,
    ),
    "mass-rollover": Scenario(
        "64 shards roll over at once, 640 changes/s",
        {"lineages": 64, "rate": 640.0, "keys": 6_400},
        20,
        _mass_rollover,
    ),
    "start": Scenario(
        "first start and restart, one shard",
        {"lineages": 1, "preload": 100, "rate": 20.0, "keys": 200},
        20,
        _start,
    ),
}
