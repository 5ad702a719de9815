"""Who works and who leads: workers' heartbeats, the leader's lock, and whether they still beat.

KCL writes few times of day. What tells a living worker from a dead one is that something of its
moves: the counters of its leases, its row of worker metrics, the version of the leader's lock.
What tells a worker that was stopped from one that died is that it took its row of metrics away
(WorkerReports.java).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kcl_processor.config.kcl_properties import seconds
from kcl_processor.config.task import Task
from kcl_processor.fleet.leases import KclRows, Lease, number, text

# Clocks of two hosts may differ by this much before a worker that lives seems dead.
_CLOCKS = 10.0
_LEASE = "lease "
# The launcher's own row of a worker, there from before its first lease (Presence.java).
PRESENCE = "KclProcessorWorker/"
# How often that row moves in a failover.
PRESENCE_BEATS = 4
# Of that row: how many leases the worker holds, when it wrote so, and how long before that the one
# was renewed that was not for longest; both in milliseconds.
HELD, BEAT_AT, UNRENEWED = "heldLeases", "beatAt", "unrenewedMillis"
# What a beat takes on its way, and what two clocks that are kept differ by, in seconds.
_BEAT_SLACK = 1.0
# The row that KCL 3 keeps of its migration from KCL 2 (``MigrationState``), from its first start.
_KCL_3 = "Migration3.0"


@dataclass(frozen=True)
class Worker:
    """One worker's row of metrics; ``updated_at`` is its host's clock, seconds since the epoch."""

    id: str
    updated_at: float


@dataclass(frozen=True)
class Leader:
    """The leader's lock (``AmazonDynamoDBLockClient``): its version changes with each heartbeat.

    Attributes:
        lease_seconds: the lock is free when its version has stood still for this long.
    """

    owner: str
    version: str
    lease_seconds: float


def workers(rows: KclRows) -> list[Worker]:
    """The workers that KCL has on its books."""
    found = (
        Worker(text(row, "wid") or text(row, "leaseKey") or "", float(number(row, "lut")))
        for row in rows.workers
    )
    return sorted(found, key=lambda worker: worker.id)


def reporting(rows: KclRows) -> bool:
    """Whether a living worker has a row of metrics; those of KCL 1.x have none."""
    return bool(rows.workers) or any(text(row, "key") == _KCL_3 for row in rows.coordinator)


def leader(rows: KclRows) -> Leader | None:
    """The holder of the leader's lock, if somebody holds it."""
    for row in rows.coordinator:
        key = text(row, "key") or text(row, "leaseKey")
        owner = text(row, "ownerName")
        if key == "Leader" and owner and not text(row, "isReleased"):
            duration = text(row, "leaseDuration") or ""
            milliseconds = int(duration) if duration.isdecimal() else 120_000
            return Leader(owner, text(row, "recordVersionNumber") or "", milliseconds / 1000)
    return None


def failover_seconds(task: Task) -> float:
    """How long a lease may stand still before another worker takes it."""
    return seconds(task.kcl.properties, "failoverTimeMillis")


def renewal_seconds(task: Task) -> float:
    """How long a living worker may leave a lease's counter alone (``DynamoDBLeaseCoordinator``).

    KCL renews three times in a failover; the rest is for the round trip of many leases.
    """
    return failover_seconds(task) / 3 + 1.5


def report_seconds(task: Task) -> float:
    """How often a worker reports."""
    return seconds(task.kcl.properties, "workerMetricsReporterFreqInMillis")


def fresh(worker: Worker, task: Task, now: float) -> bool:
    """Whether a worker has reported lately enough to be alive."""
    return now - worker.updated_at <= 3 * report_seconds(task) + _CLOCKS


def renewing(rows: KclRows, task: Task, now: float) -> set[str]:
    """The workers that said a moment ago that they renew each lease that is in their name.

    One reading tells so, where counters must be watched for seconds. Of a host whose clock is not
    this one's it tells nothing; a worker that died between two of its beats still counts.
    """
    owned = Counter(row.owner for row in rows.leases if not row.ended)
    beats = {worker: row for worker, row in presences(rows) if BEAT_AT in row}
    longest = failover_seconds(task) / PRESENCE_BEATS + _BEAT_SLACK
    return {
        worker
        for worker, row in beats.items()
        if number(row, HELD) == owned[worker]
        and number(row, UNRENEWED) / 1000 < renewal_seconds(task)
        and -_BEAT_SLACK <= now - number(row, BEAT_AT) / 1000 <= longest
    }


class Life(Enum):
    """What the owner of a lease is: known to renew it, not watched for long enough to tell, silent
    for less than a failover, silent for longer, or stopped as asked."""

    ALIVE = "alive"
    UNWATCHED = "unwatched"
    DYING = "dying"
    DEAD = "dead"
    STOPPED = "stopped"


class Pulses:
    """Which values move from one reading to the next.

    Args:
        patience: seconds after which a value that did not change counts as standing still.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._seen: dict[str, tuple[object, float, bool]] = {}
        self._read_at = 0.0

    def read(self, values: Iterable[tuple[str, object]], now: float) -> None:
        """Take in a reading of named values."""
        self._read_at = now
        for name, value in values:
            before = self._seen.get(name)
            if before is None:
                self._seen[name] = (value, now, False)
            elif before[0] != value:
                self._seen[name] = (value, now, True)

    def moving(self, name: str) -> bool | None:
        """Whether a value moved up to the last reading; ``None`` if that cannot be told yet.

        What passed since that reading tells nothing: nobody looked.
        """
        if name not in self._seen:
            return None
        _, since, changed = self._seen[name]
        if self._read_at - since >= self._patience:
            return False
        return True if changed else None

    def still(self, name: str) -> float:
        """For how many seconds a value has been seen to stand still."""
        return self._read_at - self._seen[name][1] if name in self._seen else 0.0


def pulse(lease: Lease) -> str:
    """The name of a lease among the pulses."""
    return f"{_LEASE}{lease.key}"


def report_pulse(worker: str) -> str:
    """The name of a worker's report among the pulses."""
    return f"worker {worker}"


def is_of_lease(name: str) -> bool:
    """Whether a pulse is a lease's, by its name."""
    return name.startswith(_LEASE)


def pulses_of(rows: KclRows) -> Iterable[tuple[str, object]]:
    """Everything in KCL's tables that a living worker moves."""
    yield from ((pulse(row), (row.owner, row.counter)) for row in rows.leases)
    yield from ((report_pulse(worker.id), worker.updated_at) for worker in workers(rows))
    for worker, row in presences(rows):
        yield f"worker's row {PRESENCE}{worker}", text(row, "version")
    held = leader(rows)
    if held:
        yield f"leader {held.owner}", held.version


def presences(rows: KclRows) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """The launcher's own row of each worker, by the worker's id."""
    for row in rows.coordinator:
        key = text(row, "key") or ""
        if key.startswith(PRESENCE):
            yield key.removeprefix(PRESENCE), row


class Owners:
    """What the owners of leases are, told by what was read and by what moved since.

    Args:
        rows: the last reading, which ``pulses`` has taken in.
        now: seconds since the epoch.
        renewing: workers that are known to renew all their leases, without being watched.
    """

    def __init__(
        self,
        rows: KclRows,
        pulses: Pulses,
        task: Task,
        now: float,
        renewing: Set[str] = frozenset(),
    ) -> None:
        self._reports = {worker.id: worker.updated_at for worker in workers(rows)}
        self._reporting = reporting(rows)
        self._pulses = pulses
        self._renewing = renewing
        self._failover = failover_seconds(task)
        self._silence = self._failover + report_seconds(task)
        self._now = now

    def life(self, lease: Lease) -> Life:
        """What the owner of a lease is."""
        moves = self._pulses.moving(pulse(lease))
        if moves or (moves is None and lease.owner in self._renewing):
            return Life.ALIVE
        if self._reporting and lease.owner not in self._reports:
            return Life.STOPPED
        if moves is None:
            return Life.UNWATCHED
        return Life.DEAD if self._is_overdue(lease) else Life.DYING

    def _is_overdue(self, lease: Lease) -> bool:
        """Whether another worker, if one lived, would own the lease by now."""
        if self._pulses.still(pulse(lease)) >= self._failover:
            return True
        reported = self._reports.get(lease.owner or "")
        return reported is None or self._now - reported > self._silence
