"""Checkpoints that belong to another replica are refused at start."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.story import Story, until

pytestmark = pytest.mark.story


def test_a_checkpoint_table_of_another_destination(story: Callable[..., Story]) -> None:
    """Both replicas are named, and nothing starts; --adopt takes the table over."""
    told = story(lineages=1, preload=100, keys=50)
    worker = told.started()
    until(lambda: told.simulator.status()["behind"] == 0, "the first changes arrive")
    assert worker.stop() == 0
    before = told.leases()
    other = story(destination_table="elsewhere", lineages=1, preload=10, keys=10)
    destination = {
        "region": other.simulator.ready["region"],
        "table": "elsewhere",
        "endpoint": other.simulator.destination_url,
    }
    told.configure(destination=destination)
    refused = told.start()
    assert refused.wait(30) == 2
    assert "table/replica" in refused.log() and "table/elsewhere" in refused.log()
    assert "--adopt" in refused.log()
    assert told.leases() == before
    adopted = told.start("worker-1", "--adopt")
    until(lambda: len(adopted.children()) == 1, "it starts", 60)
