"""The exporter's figures sent to an OpenTelemetry collector, by the official library.

They are those that Prometheus scrapes, under the same names. Where they go, with which headers and
certificates, is what the ``OTEL_EXPORTER_OTLP_*`` variables say ("OpenTelemetry Protocol Exporter",
specification), over HTTP. It needs the extra ``otlp``.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import metadata
from itertools import pairwise
from math import inf
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from kcl_processor.clock import Clock

_NANO = 1_000_000_000
_CUMULATIVE = AggregationTemporality.CUMULATIVE


class Sender:
    """Sends what a collector has; trouble is told as it begins, and when it has passed.

    Args:
        tell: takes one line for people.

    Raises:
        ValueError: a variable of the library's has a value that it does not take.
    """

    def __init__(self, collector: Collector, clock: Clock, tell: Callable[[str], None]) -> None:
        # It has a line for each of its attempts.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._collector = collector
        self._clock = clock
        self._tell = tell
        self._began = clock.now()
        self._fails = False
        self._exporter = OTLPMetricExporter()
        self._resource = Resource.create(
            {"service.name": "kcl-processor", "host.name": platform.node()}
        )

    def send(self) -> None:
        """Send all of it once."""
        result = self._exporter.export(self._message())
        fails = result is not MetricExportResult.SUCCESS
        if fails and not self._fails:
            self._tell(
                "The figures cannot be sent by OTLP; they are tried again each minute. "
                "Try: look at OTEL_EXPORTER_OTLP_ENDPOINT, and at the collector's log"
            )
        if self._fails and not fails:
            self._tell("The figures are sent by OTLP again.")
        self._fails = fails

    def _message(self) -> MetricsData:
        metrics = list(told(self._collector.collect(), self._began, self._clock.now()))
        scope = InstrumentationScope("kcl_processor", metadata.version("kcl-processor"))
        return MetricsData(
            [ResourceMetrics(self._resource, [ScopeMetrics(scope, metrics, "")], "")]
        )


def told(families: Iterable[Family], began: float, now: float) -> Iterator[Metric]:
    """Families of Prometheus in OpenTelemetry's terms; those without a sample are left out.

    Args:
        began: since when counters count that do not say so themselves.
        now: of all values; both in seconds since the epoch.
    """
    for family in families:
        if data := _data(family, began, now):
            unit = "s" if family.name.endswith("_seconds") else "1"
            yield Metric(family.name, family.documentation, unit, data)


def _data(family: Family, began: float, now: float) -> Gauge | Sum | Histogram | None:
    if not family.samples:
        return None
    if family.type == "histogram":
        return Histogram(_distributions(family, began, now), _CUMULATIVE)
    since = _created(family)
    points = [
        NumberDataPoint(
            dict(one.labels),
            _nano(since.get(_key(one.labels), began)),
            _nano(now),
            float(one.value),
        )
        for one in family.samples
        if not one.name.endswith("_created")
    ]
    return Gauge(points) if family.type == "gauge" else Sum(points, _CUMULATIVE, is_monotonic=True)


def _created(family: Family) -> dict[Any, float]:
    return {_key(one.labels): one.value for one in family.samples if one.name.endswith("_created")}


def _distributions(family: Family, began: float, now: float) -> list[HistogramDataPoint]:
    by_labels: dict[Any, list[Sample]] = {}
    for one in family.samples:
        by_labels.setdefault(_key(one.labels), []).append(one)
    return [_distribution(dict(key), of, began, now) for key, of in by_labels.items()]


def _distribution(
    labels: dict[str, str], samples: list[Sample], began: float, now: float
) -> HistogramDataPoint:
    """Prometheus counts in each bucket what is in the smaller ones, too."""
    up_to = {float(one.labels["le"]): int(one.value) for one in samples if "le" in one.labels}
    bounds = sorted(up_to)
    counts = [after - before for before, after in pairwise([0, *(up_to[one] for one in bounds)])]
    total = next(one.value for one in samples if one.name.endswith("_sum"))
    unknown: Any = None
    return HistogramDataPoint(
        attributes=labels,
        start_time_unix_nano=_nano(began),
        time_unix_nano=_nano(now),
        count=sum(counts),
        sum=total,
        bucket_counts=counts,
        explicit_bounds=[bound for bound in bounds if bound != inf],
        min=unknown,
        max=unknown,
    )


def _key(labels: Mapping[str, str]) -> Any:
    return tuple(pair for pair in labels.items() if pair[0] != "le")


def _nano(seconds: float) -> int:
    return round(seconds * _NANO)
