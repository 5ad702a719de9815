"""Changes that left the stream unread are never passed over in silence."""

from __future__ import annotations

import json
import re

import pytest

from integration.story import Stories, Story, Tell
from integration.until import until

pytestmark = pytest.mark.story


def test_a_checkpoint_older_than_the_stream(story: Stories, tell: Tell) -> None:
    """The daemon stops with 9 and says what is missing; told to go on, it notes it and does."""
    told = story(lineages=1, preload=100, keys=50)
    _replicate_and_stop(told)
    told.simulator.control(write=50)
    told.simulator.control(trim={"seconds": -1})
    told.simulator.control(write=20)
    worker = told.start()
    assert worker.wait(90) == 9
    time = r"20\d\d-\d\d-\d\dT[0-9:.]+Z"
    missing = rf"GAP changes of shard shardId-\S+ after \d+, made from {time} to {time}, left"
    assert re.search(missing, worker.log()), worker.log()
    assert f"kcl-processor verify {told.name} --repair" in worker.log()

    told.configure(on_gap="continue")
    told.started()
    (noted,) = _noted(told)
    assert noted["shard"].startswith("shardId-") and noted["checkpoint"].isdigit()
    assert noted["from"] < noted["to"] and noted["reason"]
    # What was trimmed is missing for good, and everything after it arrives.
    until(lambda: told.simulator.verdict()["latency_ms"]["max"] is not None, "changes arrive")
    tell("checkpoint older than the stream", told, told.simulator.settle(5), 1, "exit code 9")


def test_a_shard_that_expired_unread(story: Stories) -> None:
    """A shard that is gone before its end was read is a gap; its child is read after it."""
    told = story(lineages=1, preload=100, keys=50)
    _replicate_and_stop(told)
    told.simulator.control(write=50)
    told.simulator.control(rollover=None)
    told.simulator.control(trim={"seconds": -1, "expire": True})
    told.simulator.control(write=50)
    worker = told.start()
    assert worker.wait(90) == 9
    assert "GAP changes of shard" in worker.log()
    told.configure(on_gap="continue")
    told.started()
    assert len(_noted(told)) == 1


@pytest.mark.drill
def test_a_stream_that_was_turned_off_and_on(story: Stories) -> None:
    """A new stream under old checkpoints is refused at start; with on_gap: continue it is read."""
    told = story(lineages=1, preload=100, keys=50)
    _replicate_and_stop(told)
    told.simulator.control(write=50)
    told.simulator.control(recreate=False)
    told.simulator.control(write=50)
    worker = told.start()
    assert worker.wait(30) == 9
    assert "was turned off and on again" in worker.log() and "--repair" in worker.log()
    told.configure(on_gap="continue")
    told.started()
    of_stream, of_shard = _noted(told)
    assert of_stream["shard"] is None and "turned off and on" in of_stream["reason"]
    assert of_shard["from"] < of_shard["to"]


def _replicate_and_stop(told: Story) -> None:
    worker = told.started()
    told.caught_up()
    assert worker.stop() == 0


def _noted(told: Story) -> list[dict[str, str]]:
    path = told.state / f"{told.name}.gaps.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]
