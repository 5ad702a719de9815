"""What KCL may be told: names, and what each of them may be."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import amazon_kclpy
import pytest

from kcl_processor.config.kcl_properties import DEFAULTS, OWNED, SETTABLE, seconds

# Read by the daemon itself, not by a setter.
DAEMONS_OWN = {"executableName", "maxActiveThreads", "processingLanguage"}


def test_every_name_is_one_that_kcl_takes() -> None:
    """KCL passes over a name that it does not know: each of ours is a setter in its classes."""
    (jar,) = (Path(amazon_kclpy.__file__).parent / "jars").glob("amazon-kinesis-client-multilang*")
    with zipfile.ZipFile(jar) as archive:
        classes = b"".join(archive.read(n) for n in archive.namelist() if n.endswith(".class"))

    def named(text: str) -> bool:
        # CONSTANT_Utf8_info of the class file format: tag 1, length, text.
        return b"\x01" + struct.pack(">H", len(text)) + text.encode() in classes

    names = SETTABLE.keys() | OWNED.keys()
    setters = {name for name in names if named(f"set{name[0].upper()}{name[1:]}")}
    assert names - setters == DAEMONS_OWN
    assert all(map(named, DAEMONS_OWN))


def test_the_products_own_values_fit() -> None:
    """What it sets, a task could set; what it owns, none can."""
    assert all(SETTABLE[name].fits(value) for name, value in DEFAULTS.items() if name in SETTABLE)
    assert DEFAULTS.keys() <= SETTABLE.keys() and not OWNED.keys() & SETTABLE.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("failoverTimeMillis", "-5"),
        ("failoverTimeMillis", "0"),
        ("failoverTimeMillis", "soon"),
        ("failoverTimeMillis", "2999"),
        ("failoverTimeMillis", "1" * 40),
        ("failoverTimeMillis", "\uff11\uff10\uff10\uff10\uff10"),
        ("idleTimeBetweenReadsInMillis", "100"),
        ("metricsLevel", "summary, please"),
        ("leaseTablePitrEnabled", "yes"),
        ("workerMetricsTableName", "a b"),
        ("workerMetricsBillingMode", "FREE"),
        ("coordinatorStateTags", "untagged"),
        ("workerMetricsEMAAlpha", "2"),
        ("workerMetricsEMAAlpha", "0.\u06651"),
        ("staleWorkerMetricsEntryCleanupDuration", "P1S"),
        ("staleWorkerMetricsEntryCleanupDuration", "PT0S"),
        ("staleWorkerMetricsEntryCleanupDuration", "P" + "9" * 20 + "D"),
        ("inMemoryWorkerMetricsCaptureFrequencyMillis", "3600000"),
        ("AwsCredentialsProvider", "two\nlines"),
    ],
)
def test_a_value_that_kcl_would_choke_on_does_not_fit(name: str, value: str) -> None:
    """A negative time loops in silence, a word ends late and blames another file."""
    assert not SETTABLE[name].fits(value)


@pytest.mark.parametrize("value", ["PT24H", "P2D", "P1DT12H", "PT90M", "PT86400S"])
def test_a_duration_is_one_that_java_takes(value: str) -> None:
    """Days, hours, minutes or seconds, as java.time.Duration spells them."""
    assert SETTABLE["staleWorkerMetricsEntryCleanupDuration"].fits(value)


@pytest.mark.parametrize(
    "name",
    ["clientVersionConfig", "isGracefulLeaseHandoffEnabled", "gracefulLeaseHandoffTimeoutMillis"],
)
def test_what_would_break_the_fence_cannot_be_set(name: str) -> None:
    """A shard would have two writers."""
    assert "two w" in OWNED[name]


def test_milliseconds_are_seconds() -> None:
    """As given for a task, or what the product sets."""
    assert seconds({"failoverTimeMillis": "20000"}, "failoverTimeMillis") == 20
    assert seconds({}, "failoverTimeMillis") == 10
