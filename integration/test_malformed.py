"""Records that cannot be understood stop the daemon before anything after them is acknowledged."""

from __future__ import annotations

import json

import pytest

from integration.story import Stories, Story, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story

KEY = {"pk": {"S": "item#00000001"}, "sk": {"N": "1"}}


def test_a_record_that_cannot_be_understood(story: Stories) -> None:
    """An unknown event ends the daemon with exit code 6 and its place, again at each start."""
    told = story(lineages=1, preload=20, keys=20)
    worker = told.started()
    told.caught_up()
    sequence = _change(told, eventName="TRUNCATE")
    assert worker.wait() == 6
    assert f"Record {sequence} " in worker.log() and "TRUNCATE" in worker.log()
    assert int(_checkpoint(told)) < int(sequence)
    again = told.start()
    assert again.wait(90) == 6, "the restart stops at the same record"


def test_a_view_without_images(story: Stories) -> None:
    """A stream that shows keys only cannot be replicated: exit code 6, and what to turn on."""
    told = story(lineages=1, preload=20, keys=20)
    worker = told.started()
    told.caught_up()
    told.simulator.control(stream={"view_type": "KEYS_ONLY"})
    sequence = told.simulator.control(change={"number": 1})["change"]["sequence"]
    assert worker.wait() == 6
    assert f"Record {sequence} " in worker.log()
    assert "StreamViewType=NEW_AND_OLD_IMAGES" in worker.log()
    assert int(_checkpoint(told)) < int(sequence)


def test_answers_that_are_not_those_of_the_stream(story: Stories) -> None:
    """JSON of something else, with status 200, is read again: no shard ends of it."""
    told = story(lineages=2, preload=100, keys=50, rate=50.0)
    told.started()
    told.simulator.faults(source=[{"kind": "hollow", "share": 0.5}])
    until(told.more_writes(10), "it writes all the same", 60)
    told.simulator.faults(source=[])
    assert_replicated(told.simulator.settle(60))
    assert "SHARD_END" not in {row["checkpoint"] for row in told.leases().values()}


def _change(told: Story, **record: object) -> str:
    """Put a record of our own making into the stream; give its sequence number."""
    last = told.simulator.control(change={"number": 2})["change"]["sequence"]
    sequence = str(int(last) + 1)
    stream = {"SequenceNumber": sequence, "ApproximateCreationDateTime": 1_700_000_000, "Keys": KEY}
    raw = {"eventID": "1", "dynamodb": stream, **record}
    told.simulator.control(change={"number": 1, "raw": json.dumps(raw)})
    return sequence


def _checkpoint(told: Story) -> str:
    (lease,) = told.leases().values()
    return "0" if lease["checkpoint"] == "TRIM_HORIZON" else str(lease["checkpoint"])
