"""Checkpoints that belong to another replica are refused at start."""

from __future__ import annotations

import pytest

from integration import task_file
from integration.story import Stories
from integration.until import until

pytestmark = pytest.mark.story


def test_a_checkpoint_table_of_another_destination(story: Stories) -> None:
    """Both replicas are named, and nothing starts; --adopt takes the table over."""
    told = story(lineages=1, preload=100, keys=50)
    worker = told.started()
    told.caught_up()
    assert worker.stop() == 0
    before = told.leases()
    other = story(destination_table="elsewhere", lineages=1, preload=10, keys=10)
    region, url = other.simulator.ready["region"], other.simulator.destination_url
    told.configure(destination=task_file.side(region, "elsewhere", url))
    refused = told.start()
    assert refused.wait(30) == 2
    assert "table/replica" in refused.log() and "table/elsewhere" in refused.log()
    assert "--adopt" in refused.log()
    assert told.leases() == before
    adopted = told.start("worker-1", "--adopt")
    until(lambda: len(adopted.children()) == 1, "it starts", 60)
