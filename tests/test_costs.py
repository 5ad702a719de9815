"""The figures that advice rests on are those that the README states."""

from __future__ import annotations

import re

import pytest

from kcl_processor import costs
from kcl_processor.config.kcl_properties import seconds
from kcl_processor.operate.sizing import most_of_a_shard
from tests.kcl_tables import make_task
from tests.readme import README


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ("one shard, 60,000 changes, 80 ms to the destination", costs.SHARD_CHANGES),
        ("... resident memory, JVM + record processor", costs.ONE_SHARD_MB),
        ("eight shards, 64,000 changes, 80 ms to the destination", costs.WORKER_CHANGES),
        ("... resident memory, JVM + eight record processors", costs.EIGHT_SHARDS_MB),
    ],
)
def test_what_was_measured_is_what_is_counted_with(row: str, figure: float) -> None:
    """A new measurement changes the README's table and the constant together."""
    (stated,) = re.findall(rf"^\| {re.escape(row)} \| ([\d,]+) ", README, re.MULTILINE)
    assert int(stated.replace(",", "")) == figure


def test_what_is_paid_is_what_is_counted_with() -> None:
    """A new price list changes the README's table and the constants together."""
    (table,) = re.findall(r"^\| \| list price \|\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    stated = re.findall(r"^\| (.+) \| \$([\d.]+) \|$", table, re.MULTILINE)
    assert {what: float(price) for what, price in stated} == {
        "a million write units": costs.MILLION_WRITES,
        "a million read units": costs.MILLION_READS,
        "100,000 reads of a stream": costs.STREAM_READS,
        "a CloudWatch metric, a month": costs.METRIC_MONTH,
        "a thousand calls of PutMetricData": costs.THOUSAND_PUTS,
        "a GB exported to S3": costs.EXPORT_GB,
        "a GB imported from S3": costs.IMPORT_GB,
        "a GB kept recoverable, a month": costs.PITR_GB_MONTH,
        "a GB to another region": costs.TRANSFER_GB,
    }
    (region, date) = costs.PRICE_LIST.split(", ")
    words = " ".join(README.split())
    assert f"AWS's list prices of {region}, in US dollars, as of {date}," in words


def test_memory_lies_on_the_line_through_both_measurements() -> None:
    """At one shard and at eight the estimate is what was measured."""
    assert costs.JAVA_MB + costs.SHARD_MB == costs.ONE_SHARD_MB
    assert costs.JAVA_MB + costs.WORKER_SHARDS * costs.SHARD_MB == costs.EIGHT_SHARDS_MB


def test_the_streams_own_limit_is_the_readmes() -> None:
    """Five reads a second of 1,000 records or 1 MB, for small items and for two images each."""
    task = make_task()
    small, large, size = re.findall(
        r"is ([\d,]+) changes/s of small items and ([\d,]+) changes/s if every\s+record carries "
        r"two images of (\d+) bytes",
        README,
    )[0]
    reads = 1 / seconds(task.kcl.properties, "idleTimeBetweenReadsInMillis")
    assert reads * task.batch_size == int(small.replace(",", ""))
    limited = most_of_a_shard(task, int(size) / 1024)
    assert round(limited, -2) == int(large.replace(",", ""))
