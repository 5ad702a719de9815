"""The exporter's figures, as an OpenTelemetry collector hears them."""

from __future__ import annotations

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from kcl_processor.operate.otlp import Sender
from tests.fakes import HandClock
from tests.operate.otlp_collector import listening


class Figures(Collector):
    """One family of each kind, and one that has nothing."""

    def collect(self) -> list[Metric]:
        counter = CounterMetricFamily("c", "Counted.", labels=("task", "shard"))
        counter.add_metric(["t", "s-1"], 7, created=500.0)
        gauge = GaugeMetricFamily("g_seconds", "Since then.", labels=("task",))
        gauge.add_metric(["t"], 1.5)
        histogram = HistogramMetricFamily("h_seconds", "It took.", labels=("task",))
        histogram.add_metric(["t"], [("0.5", 2), ("1.0", 5), ("+Inf", 9)], 12.25)
        return [counter, gauge, histogram, GaugeMetricFamily("none", "Nothing.")]


def test_every_kind_of_figure_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, labels, values, buckets, and since when a counter counts."""
    with listening() as (heard, url):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        Sender(Figures(), HandClock(), pytest.fail).send()
    assert heard.paths == ["/v1/metrics"]
    (resource,) = ExportMetricsServiceRequest.FromString(heard.bodies[0]).resource_metrics
    names = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert names["service.name"] == "kcl-processor" and names["host.name"]
    metrics = {metric.name: metric for metric in resource.scope_metrics[0].metrics}
    assert metrics.keys() == {"c", "g_seconds", "h_seconds"}
    (counted,) = metrics["c"].sum.data_points
    assert metrics["c"].sum.is_monotonic and metrics["c"].description == "Counted."
    assert (counted.as_double, counted.start_time_unix_nano) == (7.0, 500 * 10**9)
    assert {one.key: one.value.string_value for one in counted.attributes} == {
        "task": "t",
        "shard": "s-1",
    }
    (since,) = metrics["g_seconds"].gauge.data_points
    assert (since.as_double, metrics["g_seconds"].unit) == (1.5, "s")
    assert since.time_unix_nano == round(HandClock().now() * 10**9)
    (took,) = metrics["h_seconds"].histogram.data_points
    assert (list(took.bucket_counts), list(took.explicit_bounds)) == ([2, 3, 4], [0.5, 1.0])
    assert (took.count, took.sum, took.HasField("min")) == (9, 12.25, False)


def test_a_collector_that_refuses_is_told_once_and_when_it_takes_them_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And nothing of it ends the exporter."""
    said: list[str] = []
    with listening() as (heard, url):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        sender = Sender(Figures(), HandClock(), said.append)
        heard.status = 400
        sender.send()
        sender.send()
        assert len(said) == 1 and "cannot be sent by OTLP" in said[0]
        heard.status = 200
        sender.send()
        sender.send()
    assert said[1:] == ["The figures are sent by OTLP again."]
