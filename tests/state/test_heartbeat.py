"""Heartbeats: what moves here, in a file for whoever asks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.state.heartbeat import (
    STALE_SECONDS,
    Counts,
    Heartbeat,
    heartbeat_file,
    read_every,
    read_heartbeats,
    remove_stale,
    write_heartbeat,
)

NOW = 1_700_000_000.0
# Above what Linux gives out (PID_MAX_LIMIT).
NOBODY = 2**22 + 1
BEAT = Heartbeat(
    task="orders",
    shard="shardId-1",
    worker="worker-1",
    pid=NOBODY,
    started_at=NOW - 60,
    beat_at=NOW,
    polled_at=NOW - 0.5,
    behind_ms=7,
    created_ms=1_699_999_999_000,
    rate_in=20.5,
    rate_out=None,
    latency_count=3,
    latency_ms=4500.0,
    latency_buckets=[0, 3],
    counts=Counts(received=5, written=4, refused=1, retried=2, batches=3),
)


@pytest.fixture
def hanging() -> Iterator[int]:
    """The id of a process that lives, and by its command line is a record processor."""
    program = "print('here', flush=True); input()"
    command = [sys.executable, "-c", program, "kcl_processor.replicate.child"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        # Before it speaks, the kernel may not show its command line yet.
        assert process.stdout.readline() == b"here\n"
        yield process.pid
        process.communicate(b"\n")


def test_a_heartbeat_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Through the file and back, every figure is what it was; no other file is left."""
    folder = tmp_path / "orders.shards"
    write_heartbeat(folder, replace(BEAT, behind_ms=1500))
    write_heartbeat(folder, BEAT)
    assert read_heartbeats(folder, NOW) == {"shardId-1": BEAT}
    assert list(folder.iterdir()) == [heartbeat_file(folder, "shardId-1")]


def test_heartbeats_of_the_dead_are_not_read_and_are_removed(tmp_path: Path) -> None:
    """A file that nobody refreshes shows nothing."""
    write_heartbeat(tmp_path, BEAT)
    assert read_heartbeats(tmp_path, NOW + STALE_SECONDS)
    remove_stale(tmp_path, NOW + STALE_SECONDS)
    assert read_heartbeats(tmp_path, NOW + STALE_SECONDS + 1) == {}
    remove_stale(tmp_path, NOW + STALE_SECONDS + 1)
    assert list(tmp_path.iterdir()) == []


def test_the_heartbeat_of_one_that_hangs_stays(tmp_path: Path, hanging: int) -> None:
    """A record processor that lives and does not even beat is still one to complain about."""
    beat = replace(BEAT, pid=hanging)
    write_heartbeat(tmp_path, beat)
    later = NOW + 10 * STALE_SECONDS
    remove_stale(tmp_path, later)
    assert read_heartbeats(tmp_path, later) == {"shardId-1": beat}


def test_what_is_no_heartbeat_is_passed_over(tmp_path: Path) -> None:
    """A torn or foreign file in the folder breaks nothing."""
    (tmp_path / "torn.json").write_text('{"task": "or')
    (tmp_path / "foreign.json").write_text("[1]")
    assert read_heartbeats(tmp_path, NOW) == {}
    assert read_heartbeats(tmp_path / "missing", NOW) == {}


def test_counts_are_told_apart_by_what_came_since() -> None:
    """Every count of its own."""
    earlier = Counts(received=5, written=4, batches=3)
    later = Counts(received=7, written=4, batches=4, gaps=1)
    assert later.since(earlier) == Counts(received=2, batches=1, gaps=1)


def test_of_two_workers_beats_for_a_shard_the_younger_counts(tmp_path: Path) -> None:
    """A shard that changed hands on one host leaves its old beat behind for some seconds."""
    folders = [tmp_path / worker / "shards" for worker in ("a", "b", "c")]
    beats = [
        replace(BEAT, worker=worker, beat_at=NOW - age) for worker, age in (("a", 1), ("b", 9))
    ]
    for folder, beat in zip(folders, beats, strict=False):
        write_heartbeat(folder, beat)
    assert read_every(folders, NOW) == {"shardId-1": beats[0]}
