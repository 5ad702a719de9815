"""Figures to CloudWatch: what is sent, how often, and that nothing of it can hurt."""

from __future__ import annotations

import logging
from pathlib import Path

import boto3
import pytest

from kcl_processor.config.access import DEFAULT
from kcl_processor.replicate.figures import Latency, ShardFigures
from kcl_processor.replicate.metrics import LATENCY_METRIC, METRICS, CloudWatch, Reporter
from kcl_processor.state.heartbeat import Counts, read_heartbeats
from tests.fakes import HandClock
from tests.spelled import spelled


class Published(list[tuple[Counts, Latency]]):
    """A CloudWatch that keeps what it is given, or fails."""

    failing = False

    def __call__(self, counts: Counts, latency: Latency) -> None:
        if self.failing:
            raise OSError("no route")
        self.append((counts, latency))


def reporter(tmp_path: Path, clock: HandClock, publish: Published) -> tuple[ShardFigures, Reporter]:
    figures = ShardFigures("orders", "shardId-1", "worker-1", clock)
    reports = Reporter(tmp_path / "orders.shards", tmp_path / "gaps.jsonl", publish, clock)
    reports.add(figures)
    return figures, reports


def test_counts_are_published_once_a_minute_and_once_each(tmp_path: Path) -> None:
    """A minute's delta, not the total, and nothing in between."""
    clock, published = HandClock(), Published()
    figures, reports = reporter(tmp_path, clock, published)
    for written in (10, 25):
        figures.tally.written = written
        for _ in range(30):
            clock.turn(2)
            reports.turn()
    assert [counts.written for counts, _ in published] == [10, 15]


def test_a_failed_minute_goes_with_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """CloudWatch away: one warning, nothing raised, and no count lost."""
    clock, published = HandClock(), Published()
    published.failing = True
    figures, reports = reporter(tmp_path, clock, published)
    figures.tally.written = 10
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            clock.turn(60)
            reports.turn()
    assert len(caplog.records) == 1 and "replication goes on" in caplog.text
    published.failing = False
    clock.turn(60)
    reports.turn()
    assert published[0][0].written == 10


def test_a_heartbeat_that_cannot_be_written_hurts_nobody(tmp_path: Path) -> None:
    """The folder is a file: the turn goes on to publish."""
    clock, published = HandClock(), Published()
    (tmp_path / "orders.shards").write_text("")
    _, reports = reporter(tmp_path, clock, published)
    clock.turn(60)
    reports.turn()
    assert len(published) == 1


def test_stopping_publishes_the_rest_and_takes_the_heartbeat_away(tmp_path: Path) -> None:
    """The last seconds count, too, and nobody takes a stopped process for a live one."""
    clock, published = HandClock(), Published()
    figures, reports = reporter(tmp_path, clock, published)
    reports.turn()
    assert read_heartbeats(tmp_path / "orders.shards", clock.now())
    figures.tally.written = 3
    reports.remove(figures)
    reports.stop(10)
    assert published[-1][0].written == 3
    assert not read_heartbeats(tmp_path / "orders.shards", clock.now())


def test_shards_are_published_together(tmp_path: Path) -> None:
    """One call a minute for all of them; one that is closed meanwhile is counted once."""
    clock, published = HandClock(), Published()
    one, reports = reporter(tmp_path, clock, published)
    other = ShardFigures("orders", "shardId-2", "worker-1", clock)
    reports.add(other)
    one.tally.written, other.tally.written = 10, 5
    clock.turn(60)
    reports.turn()
    one.tally.written, other.tally.written = 11, 7
    reports.remove(one)
    clock.turn(60)
    reports.turn()
    reports.stop(10)
    assert [counts.written for counts, _ in published][:2] == [15, 3]
    assert sum(counts.written for counts, _ in published) == 18


def test_a_shard_without_news_beats_once_in_ten_seconds(tmp_path: Path) -> None:
    """A file of each shard every two seconds is what many of them would cost."""
    clock, published = HandClock(), Published()
    figures, reports = reporter(tmp_path, clock, published)

    def beats(turns: int) -> int:
        seen = set()
        for _ in range(turns):
            clock.turn(2)
            reports.turn()
            (beat,) = read_heartbeats(tmp_path / "orders.shards", clock.now()).values()
            seen.add(beat.beat_at)
        return len(seen)

    assert beats(20) == 4
    figures.tally.written = 1
    clock.turn(2)
    reports.turn()
    (beat,) = read_heartbeats(tmp_path / "orders.shards", clock.now()).values()
    assert beat.beat_at == clock.now() and beat.counts.written == 1


def test_cloudwatch_takes_counts_and_a_statistic_set(moto_url: str) -> None:
    """Seven metrics without dimensions in the application's namespace, the sum of both sends."""
    publish = CloudWatch("App-metrics", "us-east-1", moto_url, DEFAULT, HandClock())
    publish(Counts(written=10, retried=1), Latency(2, 300.0, 100.0, 200.0))
    publish(Counts(written=5), Latency())
    client = boto3.client("cloudwatch", region_name="us-east-1", endpoint_url=moto_url)
    listed = client.list_metrics(Namespace="App-metrics")["Metrics"]
    assert {metric["MetricName"] for metric in listed} == {*METRICS, "ReplicationLatency"}
    assert not any(metric["Dimensions"] for metric in listed)
    span = {"StartTime": 0, "EndTime": 4_000_000_000, "Period": 3_999_999_960}
    (written,) = client.get_metric_statistics(
        Namespace="App-metrics", MetricName="RecordsWritten", Statistics=["Sum"], **span
    )["Datapoints"]
    assert written["Sum"] == 15


def test_no_other_module_spells_a_metric() -> None:
    """What is watched and what is tried are what is published."""
    assert spelled({*METRICS, LATENCY_METRIC}) == {"replicate/metrics"}
