"""The last events of a task stand in rows beside KCL's state."""

from __future__ import annotations

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.fleet import events
from kcl_processor.fleet.events import KEY, Event, events_of, note, read_events
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import read_rows
from kcl_processor.fleet.own_rows import read_own
from tests.fakes import HandClock
from tests.kcl_tables import make_task

MOVED = {
    "what": "moved",
    "worker": "b",
    "shard": "shardId-1",
    "from": "a",
    "to": "b",
    "why": "late",
}


def put(task: Task, row: str, name: str, words: dict[str, str]) -> None:
    """An event as a worker's daemon writes it."""
    clients.checkpoints(task).put_item(
        TableName=table_names(task).coordinator,
        Item={"key": {"S": KEY + row}, name: {"M": {k: {"S": v} for k, v in words.items()}}},
    )


def test_events_of_all_workers_are_read_in_their_order(task: Task) -> None:
    """What is no event of this version is passed over; all of KCL's rows tell the same."""
    put(task, "3", "1764370800250-00000001", MOVED)
    put(task, "5", "1764370800000-00000002", {"what": "started", "worker": "b"})
    for number, name in enumerate(("not a moment", "9" * 14, "9" * 400)):
        put(task, f"6{number}", name, {"what": "started"})
    put(task, "7", "1764370800000-00000003", {"of": "a later version"})
    found = read_events(task)
    assert found == [
        Event(1_764_370_800.0, "b", "started"),
        Event(1_764_370_800.25, "b", "moved", "shardId-1", "a", "b", "late"),
    ]
    assert events_of(read_rows(clients.checkpoints(task), table_names(task))) == found


def test_what_people_did_is_kept_and_the_oldest_goes(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With who did it; the row does not grow for ever."""
    clock = HandClock()
    monkeypatch.setattr(events, "KEPT", 2)
    for shard in ("shardId-1", "shardId-2", None):
        clock.turn(1)
        note(task, clock.now(), "paused", shard, "by `pause`")
    found = read_events(task)
    assert [(event.what, event.shard) for event in found] == [
        ("paused", "shardId-2"),
        ("paused", None),
    ]
    assert all("@" in event.teller and event.why == "by `pause`" for event in found)
    assert len(read_own(task, f"{KEY}people") or {}) == 2


def test_a_task_that_never_ran_has_none(moto_url: str) -> None:
    """There is no table yet."""
    assert read_events(make_task(moto_url)) == []
