"""What the exporter serves, by name: the exporter, the Grafana dashboard and the alert rules take
the names of its series from here."""

from __future__ import annotations

from dataclasses import dataclass

_PREFIX = "kcl_processor_"
# A task's own, and those of each of its shards.
OF_TASK = ("task",)
OF_SHARD = ("task", "shard", "worker")


@dataclass(frozen=True)
class Series:
    """A metric, in Prometheus' conventions.

    Attributes:
        family: its name without what a kind of metric adds to it.
    """

    family: str
    help: str
    labels: tuple[str, ...] = OF_SHARD


@dataclass(frozen=True)
class Counter(Series):
    """What only grows; its series has ``_total`` behind its name."""

    field: str = ""

    def __str__(self) -> str:
        return f"{self.family}_total"


@dataclass(frozen=True)
class Gauge(Series):
    """What goes up and down."""

    def __str__(self) -> str:
        return self.family


@dataclass(frozen=True)
class Histogram(Series):
    """How often something took up to so long; ``_sum`` and ``_count`` stand beside it."""

    def __str__(self) -> str:
        return f"{self.family}_bucket"


def _counter(name: str, field: str, text: str) -> Counter:
    return Counter(_PREFIX + name, text, field=field)


UP = Gauge(f"{_PREFIX}up", "Whether a daemon of the task runs on this host.", OF_TASK)
RECEIVED = _counter("records_received", "received", "Changes delivered by the daemon.")
WRITTEN = _counter("records_written", "written", "Items written to the destination.")
FAILED = _counter("records_failed", "refused", "Changes that the destination never accepts.")
RETRIED = _counter("records_retried", "retried", "Changes sent again after a failed attempt.")
BATCHES = _counter("batches_written", "batches", "Deliveries applied in full.")
DEAD_LETTERS = _counter("dead_letters", "dead_letters", "Changes set aside.")
GAPS = _counter("gaps", "gaps", "Gaps in the stream that were passed.")
LATENCY = Histogram(
    f"{_PREFIX}replication_latency_seconds",
    "From the source's write to the destination's; up to a second too long.",
)
IDLE = Gauge(f"{_PREFIX}idle_seconds", "Since a delivery was last applied.")
BEHIND = Gauge(f"{_PREFIX}behind_seconds", "KCL's millisBehindLatest, in seconds.")
PROVEN = Gauge(
    f"{_PREFIX}proven_seconds", "Age of the oldest proof over all parts of the tables.", OF_TASK
)
DIFFERENCES = Gauge(
    f"{_PREFIX}open_differences",
    "Keys that were found to differ, and not to be equal since.",
    OF_TASK,
)
SWITCHOVER = Gauge(
    f"{_PREFIX}switchover_seconds",
    "Since a switchover began that was not taken back; begun, back or over.",
    (*OF_TASK, "state"),
)
LIMIT = Gauge(
    f"{_PREFIX}limit_wcu",
    "Write capacity units a second that all workers of the task may consume together.",
    OF_TASK,
)
WAITING = Gauge(f"{_PREFIX}limit_waiting_shards", "Shards that wait for the limit.", OF_TASK)
PAUSED = Gauge(
    f"{_PREFIX}paused_seconds",
    "Since the shard was paused; without a shard, the task.",
    (*OF_TASK, "shard"),
)
THROTTLED = Gauge(
    f"{_PREFIX}throttled_seconds",
    "Since the worker lets nothing out, by throttle_when.",
    (*OF_TASK, "worker"),
)

COUNTERS = (RECEIVED, WRITTEN, FAILED, RETRIED, BATCHES, DEAD_LETTERS, GAPS)
EVERY: tuple[Series, ...] = (
    *(UP, *COUNTERS, LATENCY, IDLE, BEHIND),
    *(PROVEN, DIFFERENCES, SWITCHOVER, LIMIT, WAITING, PAUSED, THROTTLED),
)
