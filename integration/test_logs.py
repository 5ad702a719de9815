"""Logs may flood or find no room: replication goes on."""

from __future__ import annotations

import pytest

from integration.story import Stories, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story


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
