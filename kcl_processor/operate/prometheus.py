"""The figures of this host's record processors as Prometheus metrics.

One process a shard does the work, and shards come and go; a port in each of them would be a moving
target, and a port in one of them would end with it. So the exporter is a process of its own that
reads the heartbeats they leave, when it is asked. It needs the extra ``prometheus``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.core import SummaryMetricFamily as Summary
from prometheus_client.registry import Collector

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.launch.daemon import running_workers
from kcl_processor.state.heartbeat import Heartbeat, read_every

_LABELS = ("task", "shard", "worker")

_COUNTERS = {
    "records_received": ("received", "Changes delivered by the daemon."),
    "records_written": ("written", "Items written to the destination."),
    "records_failed": ("refused", "Changes that the destination never accepts."),
    "records_retried": ("retried", "Changes sent again after a failed attempt."),
    "batches_written": ("batches", "Deliveries applied in full."),
    "dead_letters": ("dead_letters", "Changes set aside."),
    "gaps": ("gaps", "Gaps in the stream that were passed."),
}


class HeartbeatCollector(Collector):
    """Turns the heartbeats of some tasks into metrics, at each scrape anew."""

    def __init__(self, tasks: Sequence[TaskFiles], clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        now = self._clock.now()
        running = GaugeMetricFamily(
            "kcl_processor_up", "Whether a daemon of the task runs on this host.", labels=["task"]
        )
        beats: list[Heartbeat] = []
        for files in self._tasks:
            running.add_metric([files.task.name], float(bool(running_workers(files))))
            beats += read_every(files.every_heartbeats(), now).values()
        yield running
        yield from _counters(beats)
        yield from _moments(beats, now)


def _counters(beats: Sequence[Heartbeat]) -> Iterator[Metric]:
    for name, (attribute, text) in _COUNTERS.items():
        family = CounterMetricFamily(f"kcl_processor_{name}", text, labels=_LABELS)
        for beat in beats:
            family.add_metric(
                _labels(beat), getattr(beat.counts, attribute), created=beat.started_at
            )
        yield family
    latency = Summary(
        "kcl_processor_replication_latency_seconds",
        "From the source's write to the destination's; up to a second too long.",
        labels=_LABELS,
    )
    for beat in beats:
        latency.add_metric(_labels(beat), beat.latency_count, beat.latency_ms / 1000)
    yield latency


def _moments(beats: Sequence[Heartbeat], now: float) -> Iterator[Metric]:
    idle = GaugeMetricFamily(
        "kcl_processor_idle_seconds", "Since a delivery was last applied.", labels=_LABELS
    )
    behind = GaugeMetricFamily(
        "kcl_processor_behind_seconds", "KCL's millisBehindLatest, in seconds.", labels=_LABELS
    )
    for beat in beats:
        idle.add_metric(_labels(beat), now - (beat.polled_at or beat.started_at))
        if beat.behind_ms is not None:
            behind.add_metric(_labels(beat), beat.behind_ms / 1000)
    yield idle
    yield behind


def _labels(beat: Heartbeat) -> tuple[str, str, str]:
    return (beat.task, beat.shard, beat.worker)
