"""What a task needs and costs: memory, workers, dollars a month, with every formula shown.

Memory, speed and prices are those of ``costs``; other regions' prices differ, so each line
shows what it multiplies. Rates that nobody has measured for this task are arguments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from kcl_processor import costs
from kcl_processor.config.kcl_properties import seconds
from kcl_processor.config.task import Task
from kcl_processor.fleet.coordinator import PRESENCE_BEATS, failover_seconds
from kcl_processor.fleet.pause import LOOKS
from kcl_processor.replicate.fork_server import LEAST_PROCESSES
from kcl_processor.replicate.metrics import LATENCY_METRIC, METRICS

_MONTH = 30 * 24 * 3600
_WRITE = costs.MILLION_WRITES / 1_000_000
_READ = costs.MILLION_READS / 1_000_000
_STREAM_READ = costs.STREAM_READS / 100_000
_PUT = costs.THOUSAND_PUTS / 1000
# Said where a task has rules: each change may also delete what it leaves under another key.
_AT_MOST = ", if the rules let all of them through; one that moves its key writes twice"
_OWN_METRICS = len({*METRICS, LATENCY_METRIC})


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
    workers = max(
        1,
        math.ceil(shards / costs.MANY_SHARDS),
        min(shards, math.ceil(changes / costs.WORKER_CHANGES)),
    )
    return [
        *_machines(shards, workers, changes),
        *_speed(task, shards, workers, item_kb),
        *_month(task, shards, workers, changes, item_kb),
    ]


def proving(table_bytes: float, max_rcu: float) -> list[Line]:
    """What it costs to compare the tables, once and for good.

    Args:
        table_bytes: the source's size; the destination's is taken for the same.
        max_rcu: read units a second on each side.
    """
    # A scan costs half a unit for 4 KB (developer guide, "DynamoDB read and write operations").
    units = max(1, math.ceil(table_bytes / 8192))
    steady = min(max_rcu, units / costs.PROOF_REST)
    return [
        Line(
            "a round of verify",
            2 * units * _READ,
            "$",
            f"2 sides x {units:,} read units x ${costs.MILLION_READS:.3f} a million",
        ),
        Line(
            "... takes",
            units / max_rcu / 3600,
            "h",
            f"{units:,} read units / {max_rcu:g} a second",
        ),
        Line(
            "verify --continuous, a month",
            2 * steady * _MONTH * _READ,
            "$",
            f"2 sides x {steady:g} read units/s x month; writes "
            "of how far it is, and keys that are looked at again, come on top",
        ),
    ]


def most_of_a_shard(task: Task, item_kb: float) -> float:
    """Changes a second that a shard gives: what was measured, or less where items are large.

    A read gives a full batch, or as much as 1 MB holds, of records that carry the old image and the
    new.
    """
    record = max(1.0, 2 * item_kb * 1024)
    a_read = min(task.batch_size, costs.READ_BYTES / record)
    return min(costs.SHARD_CHANGES, _reads(task) * a_read)


def _reads(task: Task) -> float:
    return 1 / _interval(task)


def _interval(task: Task) -> float:
    return seconds(task.kcl.properties, "idleTimeBetweenReadsInMillis")


def _machines(shards: int, workers: int, changes: float) -> list[Line]:
    each = math.ceil(shards / workers)
    fallen = math.ceil(shards / max(1, workers - 1))
    readers = _readers(shards, workers)
    return [
        Line(
            "processes",
            workers * (readers + 2),
            "",
            f"{workers} x {readers} for {each} shards + {workers} that fork them + {workers} Java",
        ),
        Line(
            "workers",
            workers,
            "",
            f"of two cores: {shards} shards / {costs.MANY_SHARDS}, or {changes:g} changes/s / "
            f"{costs.WORKER_CHANGES}, and a shard each; one more to lose one",
        ),
        Line(
            "memory a worker",
            _memory(each),
            "MB",
            _memory_formula(each),
        ),
        Line("memory with one worker lost", _memory(fallen), "MB", f"the same, {fallen} shards"),
    ]


def _readers(shards: int, workers: int) -> int:
    """How many processes of a worker read its shards."""
    return min(math.ceil(shards / workers), LEAST_PROCESSES)


def _memory(shards: int) -> float:
    few = min(shards, costs.WORKER_SHARDS)
    return costs.JAVA_MB + few * costs.SHARD_MB + (shards - few) * costs.FURTHER_SHARD_MB


def _memory_formula(shards: int) -> str:
    few = min(shards, costs.WORKER_SHARDS)
    further = f" + {shards - few} further x {costs.FURTHER_SHARD_MB}" if shards > few else ""
    line = f"{costs.JAVA_MB:.0f} Java + {few} shards x {costs.SHARD_MB:.0f}"
    return f"{line}{further}, as measured at work"


def _speed(task: Task, shards: int, workers: int, item_kb: float) -> list[Line]:
    reads = _reads(task)
    most = most_of_a_shard(task, item_kb)
    return [
        Line(
            "most changes a second of a shard",
            most,
            "/s",
            f"least of {costs.SHARD_CHANGES} measured, {reads:g} reads/s x {task.batch_size} "
            f"records, {reads:g} reads/s x 1 MB / 2 images of {item_kb:g} KB",
        ),
        Line(
            "most changes a second",
            min(shards * most, workers * costs.WORKER_CHANGES),
            "/s",
            f"least of {shards} shards x {most:.0f}, {workers} workers x {costs.WORKER_CHANGES}",
        ),
    ]


def _month(task: Task, shards: int, workers: int, changes: float, item_kb: float) -> list[Line]:
    quiet = _quiet(task, shards, workers)
    lines = [
        *quiet,
        _stream(shards, _interval(task)),
        _checkpoints(task, shards),
        _writes(changes, item_kb, ruled=task.rules is not None),
    ]
    at_rest = [*quiet, _stream(shards, max(_interval(task), costs.QUIET_READ_SECONDS))]
    return [
        *lines,
        _total(
            "total a month",
            lines,
            f"the sum, at list prices of {costs.PRICE_LIST}; compute and traffic come on top",
        ),
        _total(
            "a month without changes",
            at_rest,
            f"no checkpoints and writes, a read of a shard in {costs.QUIET_READ_SECONDS:g} s",
        ),
    ]


def _total(what: str, lines: list[Line], formula: str) -> Line:
    return Line(what, sum(line.value for line in lines), "$", formula)


def _quiet(task: Task, shards: int, workers: int) -> list[Line]:
    """What is to be paid whether there are changes or not."""
    return [
        _leases(task, shards),
        _worker_rows(task, workers),
        _presence(task, workers),
        _pauses(workers),
        _assignment(task, shards),
        *([_metrics(shards, workers)] if task.metrics.publish else []),
    ]


def _leases(task: Task, shards: int) -> Line:
    interval = failover_seconds(task) / 3
    return Line(
        "lease renewals",
        shards * _MONTH / interval * _WRITE,
        "$",
        f"{shards} shards / {interval:.1f} s x month x ${costs.MILLION_WRITES:.3f} a million",
    )


def _checkpoints(task: Task, shards: int) -> Line:
    interval = task.checkpoint_seconds
    return Line(
        "checkpoints",
        shards * _MONTH / interval * _WRITE,
        "$",
        f"{shards} shards / {interval} s x month, while changes flow",
    )


def _worker_rows(task: Task, workers: int) -> Line:
    interval = seconds(task.kcl.properties, "workerMetricsReporterFreqInMillis")
    return Line(
        "worker metrics rows",
        workers * _MONTH / interval * _WRITE,
        "$",
        f"{workers} workers / {interval:.0f} s x month",
    )


def _presence(task: Task, workers: int) -> Line:
    """The row in which a worker shows that it lives."""
    interval = failover_seconds(task) / PRESENCE_BEATS
    return Line(
        "workers' presence",
        workers * _MONTH / interval * _WRITE,
        "$",
        f"{workers} workers / {interval:.1f} s x month",
    )


def _pauses(workers: int) -> Line:
    """Each worker looks whether something is paused, and what is limited (``Limits.java``)."""
    return Line(
        "looks for pauses, limits",
        2 * workers * _MONTH / LOOKS * _READ,
        "$",
        f"2 rows x {workers} workers / {LOOKS:.0f} s x month x 1 read unit",
    )


def _assignment(task: Task, shards: int) -> Line:
    """The leader scans leases and workers; an item of a lease has well below 4 KB for ten rows."""
    interval = seconds(task.kcl.properties, "leaseAssignmentIntervalMillis")
    units = 1 + math.ceil(shards / 10) + 1
    return Line(
        "leader's scans",
        _MONTH / interval * units * _READ,
        "$",
        f"month / {interval:.0f} s x {units} read units",
    )


def _stream(shards: int, interval: float) -> Line:
    return Line(
        "stream reads",
        shards * _MONTH / interval * _STREAM_READ,
        "$",
        f"{shards} shards / {interval:.1f} s x month x ${costs.STREAM_READS:.2f} a 100,000",
    )


def _writes(changes: float, item_kb: float, *, ruled: bool) -> Line:
    units = max(1, math.ceil(item_kb))
    return Line(
        "destination writes",
        changes * _MONTH * units * _WRITE,
        "$",
        f"{changes:g} changes/s x month x {units} write units{_AT_MOST if ruled else ''}",
    )


def _metrics(shards: int, workers: int) -> Line:
    names = _OWN_METRICS + costs.KCL_METRICS
    processes = workers * _readers(shards, workers)
    calls = processes * _MONTH / 60
    return Line(
        "CloudWatch metrics",
        names * costs.METRIC_MONTH + calls * _PUT,
        "$",
        f"{names} names x ${costs.METRIC_MONTH:.2f} + {processes} calls a minute; KCL's calls not "
        "counted",
    )
