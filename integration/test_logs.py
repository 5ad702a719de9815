"""Logs may flood or find no room: replication goes on."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story

_SOURCE = [
    {"kind": "LimitExceededException", "operation": "GetRecords", "share": 0.3},
    {"kind": "ProvisionedThroughputExceededException", "operation": "GetRecords", "share": 0.1},
    {"kind": "ExpiredIteratorException", "operation": "GetRecords", "share": 0.2},
    {"kind": "InternalServerError", "operation": "GetRecords", "share": 0.2},
    {"kind": "reset", "operation": "GetRecords", "share": 0.1},
]
# Of the source's, what the SDK does not try again by itself, out of sight.
_READS = {"LimitExceededException", "ExpiredIteratorException"}
_DESTINATION = [
    {"kind": "latency", "milliseconds": 20},
    {"kind": "unprocessed", "operation": "BatchWriteItem", "share": 0.2},
    {"kind": "ProvisionedThroughputExceededException", "share": 0.2},
    {"kind": "InternalServerError", "operation": "BatchWriteItem", "share": 0.2},
    {"kind": "reset", "operation": "BatchWriteItem", "share": 0.1},
]
_WRITES = {"UnprocessedItems", "InternalServerError", "ProvisionedThroughputExceededException"}


def test_a_full_disk_for_logs(story: Stories, tell: Tell) -> None:
    """With both log files on a device that is full, every change arrives, and a stop is clean."""
    told = story(lineages=2, preload=500, keys=200, rate=100.0)
    logs = told.folder / "worker-1"
    logs.mkdir()
    for name in ("kcl.log", "connectors.log"):
        (logs / f"{told.name}@worker-1-{name}").symlink_to("/dev/full")
    worker = told.started()
    told.simulator.control(rollover=None)
    until(told.more_writes(20), "changes arrive")
    verdict = told.simulator.settle(60)
    assert worker.stop() == 0
    assert_replicated(verdict)
    tell("no room for logs", told, verdict)


def test_mixed_faults_on_both_sides_are_few_lines(story: Stories, tell: Tell) -> None:
    """Of hundreds of failures each side tells the beginning, the end, and little in between."""
    told = story(lineages=2, preload=500, keys=300, rate=150.0)
    worker = told.started()
    told.simulator.faults(source=_SOURCE, destination=_DESTINATION)
    until(told.more_writes(300), "300 calls, half of them in vain", 120)
    told.simulator.faults(source=[], destination=[])
    ends = ("answers again", "takes writes again")
    until(lambda: all(end in worker.log() for end in ends), "both have passed", 90)
    lines = worker.log().splitlines()
    for end, kinds in zip(ends, (_READS, _WRITES), strict=True):
        # A trouble may pass for a moment, and begin again.
        counted = "\n".join(line for line in lines if end in line)
        counts = Counter[str]()
        for count, kind in re.findall(r"(\d+) (\w+)", counted):
            counts[kind] += int(count)
        assert counts.keys() >= kinds and sum(counts[kind] for kind in kinds) >= 5, counted
    # The source is one, the destination one for each of two shards.
    trouble = [line for line in lines if re.search(r"not (take|answer) every|again; the", line)]
    assert len(trouble) <= 3 * 6, "\n".join(trouble)
    _assert_reads_are_silent(told)
    verdict = told.simulator.settle(60)
    assert worker.stop() == 0
    assert_replicated(verdict)
    tell("mixed faults on both sides", told, verdict, 1, f"{len(trouble)} lines of log")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("ProvisionedThroughputExceededException", marks=pytest.mark.drill),
        pytest.param("InternalServerError", marks=pytest.mark.drill),
    ],
)
def test_a_source_that_answers_nothing_is_few_lines(story: Stories, kind: str) -> None:
    """The SDK's retries are soon spent, and then each read fails: five a second and shard."""
    told = story(lineages=8, preload=100, keys=100, rate=50.0)
    worker = told.started()
    told.simulator.faults(source=[{"kind": kind, "operation": "GetRecords"}])
    counted = rf"still does not answer every call, for \d+ s: [0-9]{{2,}} {kind}"
    until(lambda: re.search(counted, worker.log()), "many reads have failed", 100)
    told.simulator.faults(source=[])
    _assert_reads_are_silent(told)
    assert_replicated(told.simulator.settle(60))
    assert len(re.findall("not answer every call", worker.log())) <= 3


def _assert_reads_are_silent(told: Story) -> None:
    """In the KCL's log there is no error and no stack trace for a read that is retried."""
    kcl = (told.folder / "worker-1" / f"{told.name}@worker-1-kcl.log").read_text()
    assert not re.findall(r"^\S+ ERROR .*", kcl, re.MULTILINE)
    assert not re.findall(r"^\s+at .*", kcl, re.MULTILINE)
