"""Whole tables, copied and compared: commands that end by themselves."""

from __future__ import annotations

import resource
import shlex
import subprocess
import time
from pathlib import Path

from integration.bench.scenarios import DEADLINE, MEGABYTE, Bench, Figures, Scenario
from integration.bench.subject import of_task
from integration.clients import client
from integration.credentials import environment
from integration.simulator.client import Option
from integration.until import until

_COPY = of_task("copy")
_VERIFY = of_task("verify --patience 0")
# Seconds between two looks at the memory: such a command ends soon.
_LOOK = 0.2


def _copy(bench: Bench) -> Figures:
    """A table to an empty one."""
    figures = _to_its_end(bench, "destination", "BatchWriteItem")
    # A copy writes no deletion, so those of the load never arrive.
    verdict = bench.simulator.verdict()
    if not verdict["equal"]:
        raise RuntimeError(f"source and destination differ: {verdict['examples']}")
    return figures


def _verify(bench: Bench) -> Figures:
    """Two tables that are equal."""
    return _to_its_end(bench, "source", "Scan")


def _to_its_end(bench: Bench, side: str, first: str) -> Figures:
    """Run the command to its end; its speed counts from the first call that is `first`."""
    simulator, ready = bench.simulator, bench.simulator.ready
    before = cpu_of_ended()

    def calls() -> int:
        return int(simulator.status()[side]["calls"].get(first, 0))

    known, busy = calls(), simulator.cpu_seconds()
    bench.until(lambda: calls() > known, f"the first {first}", every=0.05)
    began = time.time()
    until(lambda: not bench.subject.running(), "its end", DEADLINE, every=0.02)
    ended = time.time()
    if code := bench.subject.wait():
        raise RuntimeError(f"ended with {code}: {bench.subject.log()[-500:]}")
    table = client("dynamodb", simulator.source_url, ready["region"])
    items = table.describe_table(TableName=ready["table"])["Table"]["ItemCount"]
    cpu = cpu_of_ended() - before
    return {
        "items/s": items / (ended - began),
        "seconds with its start": ended - bench.started,
        "CPU, s": cpu,
        "CPU an item, us": 1e6 * cpu / items,
        "PSS, MB": bench.usage.peak["together"].proportional / MEGABYTE,
        "simulator CPU, s": simulator.cpu_seconds() - busy,
        "items": items,
    }


def cpu_of_ended() -> float:
    """CPU seconds of the processes that this one has waited for, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _copied(tasks: Path) -> None:
    """Make the destination equal to the source, before there is any latency."""
    words = shlex.split(_COPY.format(tasks=tasks, folder=tasks.parent / "before"))
    subprocess.run(words, env=environment(), check=True, capture_output=True)


# Some of the changes hit one key twice or delete it: about 40,000 items are left.
_LOAD: dict[str, Option] = {"preload": 64_000, "keys": 64_000}

TABLES = {
    "copy": Scenario(
        "copy of a table of 40,000 items",
        _LOAD,
        80,
        _copy,
        _COPY,
        source_milliseconds=80,
        look=_LOOK,
    ),
    "verify": Scenario(
        "verify of two equal tables of 40,000 items",
        _LOAD,
        80,
        _verify,
        _VERIFY,
        source_milliseconds=80,
        before=_copied,
        look=_LOOK,
    ),
}
