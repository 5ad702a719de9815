"""The figures of this host's record processors as Prometheus metrics.

One process a shard does the work, and shards come and go; a port in each of them would be a moving
target, and a port in one of them would end with it. So the exporter is a process of its own that
reads the heartbeats they leave, when it is asked. It needs the extra ``prometheus``.

How a task's proof, its switchover, its limit and its pauses stand lies in its coordinator state
table. That is asked for beside the scrapes, once a minute: a scrape shows what was found last, and
waits for no service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.fleet.limit import Limit
from kcl_processor.fleet.pause import Pause
from kcl_processor.fleet.throttle import Throttled
from kcl_processor.launch.daemon import running_workers
from kcl_processor.launch.proof import Standing
from kcl_processor.launch.switch_mark import SwitchMark
from kcl_processor.operate import series
from kcl_processor.operate.asked import Asked
from kcl_processor.operate.series import Series
from kcl_processor.state.heartbeat import LATENCY_BOUNDS, Heartbeat, read_every


@dataclass(frozen=True)
class Standings:
    """How some tasks stand, as was found last."""

    proofs: Asked[Standing]
    switches: Asked[SwitchMark]
    limits: Asked[Limit]
    pauses: Asked[list[Pause]]
    throttled: Asked[list[Throttled]]


class HeartbeatCollector(Collector):
    """Turns the heartbeats of some tasks into metrics, at each scrape anew, and how they stand."""

    def __init__(self, tasks: Sequence[TaskFiles], clock: Clock, standings: Standings) -> None:
        self._tasks = tasks
        self._clock = clock
        self._standings = standings

    def collect(self) -> Iterable[Metric]:
        now = self._clock.now()
        running = _gauge(series.UP)
        beats: list[Heartbeat] = []
        for files in self._tasks:
            running.add_metric([files.task.name], float(bool(running_workers(files))))
            beats += read_every(files.every_heartbeats(), now).values()
        yield running
        yield from _counters(beats)
        yield from _moments(beats, now)
        yield from _standing(self._standings, now)


def _standing(standings: Standings, now: float) -> Iterator[Metric]:
    yield from _proven(standings.proofs.last(), now)
    marks = standings.switches.last().items()
    begun = ((task, mark.state.value, mark.started_at) for task, mark in marks)
    yield _since(series.SWITCHOVER, begun, now)
    yield from _limited(standings.limits.last())
    pauses = standings.pauses.last().items()
    paused = ((task, one.shard or "", one.at) for task, made in pauses for one in made)
    yield _since(series.PAUSED, paused, now)
    workers = standings.throttled.last().items()
    throttled = ((task, one.worker, one.at) for task, ones in workers for one in ones)
    yield _since(series.THROTTLED, throttled, now)


def _since(of: Series, begun: Iterable[tuple[str, str, float]], now: float) -> Metric:
    """How long things stand: each by its task and its other label."""
    family = _gauge(of)
    for task, label, at in begun:
        family.add_metric([task, label], max(0.0, now - at))
    return family


def _proven(proofs: dict[str, Standing], now: float) -> Iterator[Metric]:
    age, differences = _gauge(series.PROVEN), _gauge(series.DIFFERENCES)
    for task, standing in proofs.items():
        if (seconds := standing.age(now)) is not None:
            age.add_metric([task], seconds)
        if not standing.void:
            differences.add_metric([task], standing.differences)
    yield age
    yield differences


def _limited(limits: dict[str, Limit]) -> Iterator[Metric]:
    wcu, waiting = _gauge(series.LIMIT), _gauge(series.WAITING)
    for task, limit in limits.items():
        wcu.add_metric([task], limit.wcu)
        waiting.add_metric([task], limit.waiting)
    yield wcu
    yield waiting


def _counters(beats: Sequence[Heartbeat]) -> Iterator[Metric]:
    for counter in series.COUNTERS:
        family = CounterMetricFamily(counter.family, counter.help, labels=counter.labels)
        for beat in beats:
            count = getattr(beat.counts, counter.field)
            family.add_metric(_labels(beat), count, created=beat.started_at)
        yield family
    yield _latency(beats)


def _latency(beats: Sequence[Heartbeat]) -> Metric:
    """Without those of an earlier version, which counts in no buckets."""
    of = series.LATENCY
    family = HistogramMetricFamily(of.family, of.help, labels=of.labels)
    for beat in beats:
        counts = beat.latency_buckets or []
        if len(counts) == len(LATENCY_BOUNDS):
            bounds = [*map(str, map(float, LATENCY_BOUNDS)), "+Inf"]
            buckets = list(zip(bounds, [*counts, beat.latency_count], strict=True))
            family.add_metric(_labels(beat), buckets, beat.latency_ms / 1000)
    return family


def _gauge(of: Series) -> GaugeMetricFamily:
    return GaugeMetricFamily(of.family, of.help, labels=of.labels)


def _moments(beats: Sequence[Heartbeat], now: float) -> Iterator[Metric]:
    idle, behind = _gauge(series.IDLE), _gauge(series.BEHIND)
    for beat in beats:
        idle.add_metric(_labels(beat), now - (beat.polled_at or beat.started_at))
        if beat.behind_ms is not None:
            behind.add_metric(_labels(beat), beat.behind_ms / 1000)
    yield idle
    yield behind


def _labels(beat: Heartbeat) -> tuple[str, str, str]:
    return (beat.task, beat.shard, beat.worker)
