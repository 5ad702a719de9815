"""What a task needs and costs: memory, workers, dollars a month, with every formula shown.

Prices are list prices of us-east-1, in dollars; other regions differ, so each line shows what it
multiplies. Rates that nobody has measured for this task are arguments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kcl_processor.config.kcl_properties import seconds
from kcl_processor.config.task import Task
from kcl_processor.fleet.coordinator import failover_seconds

_MONTH = 30 * 24 * 3600
_MILLION = 1_000_000

# Amazon DynamoDB and CloudWatch pricing, us-east-1.
WRITE_UNIT = 0.625 / _MILLION
READ_UNIT = 0.125 / _MILLION
STREAM_READ = 0.02 / 100_000
METRIC_MONTH = 0.30
PUT_METRIC_CALL = 0.01 / 1000

# Measured: the JVM with the daemon's flags, and one idle record processor. A busy one holds one
# delivery, up to 1 MB of records, several times over.
JVM_MIB = 405
CHILD_MIB = 46
BUSY_MIB = 20
# Measured with 1 KB items on two cores that carried both tables, too: one shard, and eight at once.
CHANGES_PER_SHARD = 2200
CHANGES_PER_WORKER = 3640
SHARDS_PER_WORKER = 8

OWN_METRICS = 7
# Counted in a run: KCL's at SUMMARY with the dimension Operation alone.
KCL_METRICS = 32


@dataclass(frozen=True)
class Line:
    """One result: a name, a number with its unit, and how it came about."""

    what: str
    value: float
    unit: str
    formula: str


def size(task: Task, shards: int, changes: float, item_kb: float) -> list[Line]:
    """What a task of so many open shards needs and costs.

    Args:
        changes: changes a second, over the whole table.
        item_kb: mean size of an item, in KB.
    """
    workers = max(1, math.ceil(shards / SHARDS_PER_WORKER), math.ceil(changes / CHANGES_PER_WORKER))
    return [
        *_machines(shards, workers, changes),
        *_month(task, shards, workers, changes, item_kb),
    ]


def _machines(shards: int, workers: int, changes: float) -> list[Line]:
    each = math.ceil(shards / workers)
    memory = JVM_MIB + each * (CHILD_MIB + BUSY_MIB)
    fallen = math.ceil(shards / max(1, workers - 1))
    spare = JVM_MIB + fallen * (CHILD_MIB + BUSY_MIB)
    return [
        Line("processes", shards + workers, "", f"{shards} shards + {workers} Java"),
        Line(
            "workers",
            workers,
            "",
            f"of two cores: {shards} shards / {SHARDS_PER_WORKER}, or {changes:g} changes/s / "
            f"{CHANGES_PER_WORKER}; one more to lose one",
        ),
        Line(
            "memory a worker",
            memory,
            "MiB",
            f"{JVM_MIB} Java + {each} shards x ({CHILD_MIB} + {BUSY_MIB} busy)",
        ),
        Line("memory with one worker lost", spare, "MiB", f"the same with {fallen} shards"),
        Line(
            "most changes a second",
            min(shards * CHANGES_PER_SHARD, workers * CHANGES_PER_WORKER),
            "/s",
            f"least of {shards} shards x {CHANGES_PER_SHARD}, {workers} workers x "
            f"{CHANGES_PER_WORKER}",
        ),
    ]


def _month(task: Task, shards: int, workers: int, changes: float, item_kb: float) -> list[Line]:
    lines = [
        _leases(task, shards),
        _checkpoints(task, shards),
        _worker_rows(task, workers),
        _assignment(task, shards),
        _stream(task, shards),
        _writes(changes, item_kb),
        *([_metrics(shards)] if task.metrics.publish else []),
    ]
    total = sum(line.value for line in lines)
    return [*lines, Line("total a month", total, "$", "the sum; compute and traffic come on top")]


def _leases(task: Task, shards: int) -> Line:
    interval = failover_seconds(task) / 3
    return Line(
        "lease renewals",
        shards * _MONTH / interval * WRITE_UNIT,
        "$",
        f"{shards} shards / {interval:.1f} s x month x ${WRITE_UNIT * _MILLION:.3f} a million",
    )


def _checkpoints(task: Task, shards: int) -> Line:
    interval = task.checkpoint_seconds
    return Line(
        "checkpoints",
        shards * _MONTH / interval * WRITE_UNIT,
        "$",
        f"{shards} shards / {interval} s x month, while changes flow",
    )


def _worker_rows(task: Task, workers: int) -> Line:
    interval = seconds(task.kcl.properties, "workerMetricsReporterFreqInMillis")
    return Line(
        "worker metrics rows",
        workers * _MONTH / interval * WRITE_UNIT,
        "$",
        f"{workers} workers / {interval:.0f} s x month",
    )


def _assignment(task: Task, shards: int) -> Line:
    """The leader scans leases and workers; an item of a lease has well below 4 KB for ten rows."""
    interval = seconds(task.kcl.properties, "leaseAssignmentIntervalMillis")
    units = 1 + math.ceil(shards / 10) + 1
    return Line(
        "leader's scans",
        _MONTH / interval * units * READ_UNIT,
        "$",
        f"month / {interval:.0f} s x {units} read units",
    )


def _stream(task: Task, shards: int) -> Line:
    interval = seconds(task.kcl.properties, "idleTimeBetweenReadsInMillis")
    return Line(
        "stream reads",
        shards * _MONTH / interval * STREAM_READ,
        "$",
        f"{shards} shards / {interval:.1f} s x month x ${STREAM_READ * 100_000:.2f} a 100,000",
    )


def _writes(changes: float, item_kb: float) -> Line:
    units = max(1, math.ceil(item_kb))
    return Line(
        "destination writes",
        changes * _MONTH * units * WRITE_UNIT,
        "$",
        f"{changes:g} changes/s x month x {units} write units",
    )


def _metrics(shards: int) -> Line:
    names = OWN_METRICS + KCL_METRICS
    calls = shards * _MONTH / 60
    return Line(
        "CloudWatch metrics",
        names * METRIC_MONTH + calls * PUT_METRIC_CALL,
        "$",
        f"{names} names x ${METRIC_MONTH:.2f} + {shards} calls a minute; KCL's calls not counted",
    )
