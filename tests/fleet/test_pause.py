"""What an operator has paused stands in one row beside KCL's state."""

from __future__ import annotations

import getpass
from concurrent.futures import ThreadPoolExecutor

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import read_rows
from kcl_processor.fleet.pause import KEY, Pause, pause, pauses_of, read_pauses, resume, whoever

MORNING, NOON = 1_764_370_800.25, 1_764_381_600.0
ALL, ONE = Pause(None, "root@a", MORNING), Pause("shardId-1", "ops@b", NOON)


def test_pauses_are_of_shards_or_of_all_and_last_until_they_are_ended(task: Task) -> None:
    """Who reads all of KCL's rows sees the same."""
    assert read_pauses(task) == []
    pause(task, ONE)
    pause(task, ALL)
    found = read_pauses(task)
    assert [one.shard for one in found] == [None, "shardId-1"]
    assert str(found[1]) == "paused by ops@b since 2025-11-29T02:00:00Z"
    assert pauses_of(read_rows(clients.checkpoints(task), table_names(task))) == found
    resume(task, None)
    assert read_pauses(task) == []


def test_one_shard_goes_on_alone(task: Task) -> None:
    """Of what is not paused nothing is written."""
    pause(task, ONE)
    pause(task, Pause("shardId-2", "ops@b", NOON))
    resume(task, "shardId-2")
    resume(task, "shardId-3")
    assert [one.shard for one in read_pauses(task)] == ["shardId-1"]


def test_a_pause_stays_its_first_makers(task: Task) -> None:
    """Since when the stream's clock runs is what counts."""
    pause(task, ALL)
    pause(task, Pause(None, "late@c", NOON))
    (found,) = read_pauses(task)
    assert found.by == ALL.by and found.at == int(MORNING)


def test_pauses_that_are_made_at_once_are_all_there(task: Task) -> None:
    """As by a loop of a shell that does not wait: each was told that its shard is held back."""
    pause(task, ONE)
    names = [f"shardId-{number}" for number in range(2, 14)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: pause(task, Pause(name, "ops@b", NOON)), names))
    assert {one.shard for one in read_pauses(task)} == {"shardId-1", *names}


def test_a_pause_that_was_written_by_hand_is_one(task: Task) -> None:
    """The workers hold back what it names, so it is told, and ended, whatever else it says."""
    clients.checkpoints(task).put_item(
        TableName=table_names(task).coordinator,
        Item={
            "key": {"S": KEY},
            "shardId-1": {"S": "?"},
            "shardId-2": {"M": {}},
            "shardId-3": {"M": {"by": {"S": "me"}, "at": {"N": "1764381600000"}}},
        },
    )
    found = read_pauses(task)
    assert found[:2] == [Pause("shardId-1", "?", 0.0), Pause("shardId-2", "?", 0.0)]
    assert str(found[2]) == "paused by me since 1764381600000"
    resume(task, None)
    assert read_pauses(task) == []


def test_a_user_without_a_name_can_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number."""

    def nobody() -> str:
        raise KeyError("uid not found")

    assert "@" in whoever()
    monkeypatch.setattr(getpass, "getuser", nobody)
    assert whoever().startswith("?@")
