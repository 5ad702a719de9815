"""Figures of a real run: CloudWatch by Python and by Java, Prometheus from the same heartbeats."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator

import pytest

from integration.clients import Client, client
from integration.fleet import Fleet, fleet
from integration.until import until
from integration.worker import Worker
from kcl_processor.replicate.metrics import LATENCY_METRIC, METRICS
from tests.operate.otlp_collector import listening


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A daemon at work, which publishes its figures."""
    folder = tmp_path_factory.mktemp("metrics")
    with fleet(folder, lineages=2, preload=200, rate=20.0) as made:
        made.start("worker-1")
        yield made


def _cloudwatch(made: Fleet) -> Client:
    return client("cloudwatch", made.sides["metrics"].url)


def _names(made: Fleet) -> set[tuple[str, str]]:
    """Metric name and its dimensions, as in ``Operation=ProcessTask``; ours have none."""
    listed = _cloudwatch(made).get_paginator("list_metrics")
    pages = listed.paginate(Namespace=made.task.kcl.application_name)
    return {
        (metric["MetricName"], ",".join(f"{d['Name']}={d['Value']}" for d in metric["Dimensions"]))
        for page in pages
        for metric in page["Metrics"]
    }


def test_both_halves_publish_to_one_namespace(running: Fleet) -> None:
    """The record processors' seven metrics and KCL's own arrive, without a shard's name."""
    ours = {(name, "") for name in (*METRICS, LATENCY_METRIC)}
    until(lambda: ours <= _names(running), "a minute's figures", 180, every=0.5)
    operation = "Operation=LeaseAssignmentManager"
    kcl = {("NumWorkers", operation), ("ExpiredLeases", operation)}
    until(lambda: kcl <= _names(running), "KCL's metrics", 120, every=0.5)
    strangers = [
        (name, where) for name, where in _names(running) if "Id=" in where or "Identifier=" in where
    ]
    assert not strangers, "a metric of its own for each shard or worker costs money"


def test_the_written_records_are_counted(running: Fleet) -> None:
    """RecordsWritten sums up to something, and no record failed."""
    got = _cloudwatch(running).get_metric_statistics(
        Namespace=running.task.kcl.application_name,
        MetricName="RecordsWritten",
        StartTime=0,
        EndTime=4_000_000_000,
        Period=4_000_000_000 // 60 * 60,
        Statistics=["Sum"],
    )
    assert sum(point["Sum"] for point in got["Datapoints"]) >= 200


def test_prometheus_gets_the_same_figures(running: Fleet) -> None:
    """The exporter serves the living record processors of this host, by task and shard."""
    command = running.commands("worker-1").line("exporter", "--port", "0")
    with Worker(command, running.folder / "exporter.log") as exporter:
        until(lambda: "/metrics\n" in exporter.log(), "it says where it serves", 30)
        (address,) = re.findall(r"http://\S+/metrics", exporter.log())
        until(lambda: len(_written(address)) == 2, "both shards have told their figures", 30)
        assert all('worker="worker-1"' in line for line in _written(address))
        assert 'kcl_processor_up{task="orders"} 1.0' in _page(address)
        exporter.ask_to_stop()
        exporter.wait(10)


def test_an_opentelemetry_collector_is_sent_them_too(running: Fleet) -> None:
    """As soon as the exporter starts, under the names that Prometheus knows."""
    with listening() as (heard, url):
        command = running.commands("worker-1").line("exporter", "--port", "0", "--otlp")
        where = f"OTEL_EXPORTER_OTLP_ENDPOINT={url}"
        with Worker(["env", where, *command], running.folder / "sender.log") as exporter:
            until(lambda: bool(heard.bodies), "a message", 30)
            exporter.ask_to_stop()
            assert exporter.wait(10) == 0
    assert b"kcl_processor_records_written" in heard.bodies[0]


def _page(address: str) -> list[str]:
    answer: bytes = urllib.request.urlopen(address, timeout=10).read()
    return answer.decode().splitlines()


def _written(address: str) -> list[str]:
    return [
        line for line in _page(address) if line.startswith("kcl_processor_records_written_total{")
    ]
