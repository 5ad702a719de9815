"""What the record processors of one process share, and what they do not."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kcl_processor.config.settings import Settings, read_settings
from kcl_processor.errors import ExitCode
from kcl_processor.replicate.consumption import Consumption
from kcl_processor.replicate.lifeline import Lifeline
from kcl_processor.replicate.work import Work
from tests.replicate.daemon_side import INITIALIZE, DaemonSide, records
from tests.replicate.task_of_moto import properties_for


class Reading(DaemonSide):
    """A record processor at work on a thread, and the daemon's side of it."""

    def __init__(self, work: Work) -> None:
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(20)
        super().__init__(self._ours.makefile("w"), self._ours.makefile("r"))
        self.code = 0
        self._thread = threading.Thread(target=self._run, args=(work, theirs), daemon=True)
        self._thread.start()

    def _run(self, work: Work, theirs: socket.socket) -> None:
        with theirs, theirs.makefile("r") as messages, theirs.makefile("w") as answers:
            try:
                work.run(messages, answers)
            except SystemExit as leaving:
                self.code = int(leaving.code or 0)

    def finish(self) -> int:
        """Say that there is no more; give the code that it ends with."""
        self._ours.shutdown(socket.SHUT_WR)
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.code


@pytest.fixture
def settings(moto_url: str, tmp_path: Path) -> Iterator[Settings]:
    """Of a task whose destination is a table of moto."""
    with properties_for(moto_url, tmp_path) as properties:
        yield read_settings(properties)


@pytest.fixture
def work(settings: Settings) -> Iterator[Work]:
    """The work of this process, whose daemon lives."""
    ours, theirs = os.pipe()
    made = Work(settings, Lifeline(ours), Consumption())
    yield made
    made.end()
    os.close(ours)
    os.close(theirs)


def test_shards_work_side_by_side(work: Work, settings: Settings) -> None:
    """Each has its own position and its own heartbeat; what is open for one ends with it."""
    before = {*threading.enumerate()}
    readings = [Reading(work) for _ in range(3)]
    for n, reading in enumerate(readings):
        reading.do({**INITIALIZE, "shardId": f"shard-{n}"})
    for n, reading in enumerate(readings):
        reading.do(records(*range(n * 100, n * 100 + n + 1)))
    for n, reading in enumerate(readings):
        assert reading.do({"action": "shutdownRequested"}) == [str(101 + n)]
        assert reading.finish() == ExitCode.OK
    left = {thread.name for thread in {*threading.enumerate()} - before}
    # moto, in this process as well, has a thread for each connection.
    assert len([name for name in left if "process_request" not in name]) < len(readings), left
    assert not list(Path(settings.heartbeats).glob("*.json"))


def test_one_that_fails_ends_alone(work: Work) -> None:
    """With the code that says why; nothing is acknowledged of what it was at."""
    one, other = Reading(work), Reading(work)
    for reading in (one, other):
        reading.do(INITIALIZE)
    broken = records(1)
    broken["records"][0]["data"] = "e30="
    one.say(broken)
    assert one.stdout.readline() == ""
    assert one.finish() == ExitCode.SOURCE
    other.do(records(2))
    assert other.finish() == ExitCode.OK
