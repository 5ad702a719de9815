"""`pause` holds a task or a shard back, in words that say what to type next."""

from __future__ import annotations

import json

import pytest

from kcl_processor.config.task import Task
from kcl_processor.fleet.events import read_events
from kcl_processor.fleet.pause import read_pauses
from tests.cli.ask import Ask
from tests.kcl_tables import snapshot

SHARDS = [row["leaseKey"]["S"] for row in snapshot("two-workers")[0]]


def test_a_task_is_paused_and_goes_on(ask: Ask, ran: Task) -> None:
    """Each says what it did, and the first what ends it."""
    code, said, _ = ask("pause", ran.name)
    assert code == 0 and "In 5 s nothing more" in said
    assert f"Next: kcl-processor resume {ran.name}" in said
    assert [one.shard for one in read_pauses(ran)] == [None]
    code, said, _ = ask("resume")
    assert code == 0 and said.startswith("The task goes on; ")
    assert ask("resume").out == "Nothing of it was paused.\n"


@pytest.mark.usefixtures("ran")
def test_a_shard_is_named_by_its_end(ask: Ask) -> None:
    """As in other commands; one that fits no shard, or several, changes nothing."""
    end = SHARDS[0][-8:]
    (found,) = json.loads(ask("pause", "--shard", end, "--json").out)
    assert found["shard"] == SHARDS[0] and "@" in found["by"]
    assert ask("pause", "--shard", "nothing").code == 2
    assert ask("pause", "--shard", "").code == 2, "a variable that is not set"
    assert ask("pause").code == 0
    assert ask("resume", "--shard", end).code == 2, "all are paused, and it with them"
    assert json.loads(ask("resume", "--json").out) == []
    ask("pause", "--shard", end)
    assert ask("resume", "--shard", end).out.startswith(f"Shard {SHARDS[0]} goes on")


def test_a_shard_that_was_not_paused_does_not_go_on(ask: Ask, ran: Task) -> None:
    """Nor is it told as an event that it did."""
    paused, other = (shard[-8:] for shard in SHARDS[:2])
    ask("pause", "--shard", paused)
    assert ask("resume", "--shard", other).out == "Nothing of it was paused.\n"
    assert [event.what for event in read_events(ran)] == ["paused"]


def test_what_never_ran_cannot_be_paused(ask: Ask) -> None:
    """There is nobody who would look."""
    code, _, said = ask("pause")
    assert code == 2 and "no daemon was ever started" in said
