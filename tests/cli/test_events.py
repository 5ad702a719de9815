"""`events` says what happened, of all hosts."""

from __future__ import annotations

import json
import time

import pytest

from kcl_processor.aws import clients
from kcl_processor.clock import utc
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.events import KEY, Event
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.operate import history
from tests.cli.ask import Ask

NOW = time.time()


def happened(task: Task, ago: float, **words: str) -> str:
    """What a worker's daemon has written; its moment."""
    at = NOW - ago
    clients.checkpoints(task).put_item(
        TableName=table_names(task).coordinator,
        Item={
            "key": {"S": f"{KEY}{ago}"},
            f"{round(at * 1000):013d}-00000000": {"M": {k: {"S": v} for k, v in words.items()}},
        },
    )
    return utc(int(at * 1000 + 0.5) / 1000)


def test_what_happened_is_told_with_from_to_and_why(ran: Task, ask: Ask) -> None:
    """A line an event; of late only, if that is asked for; or as JSON."""
    words = {"worker": "b", "what": "moved", "shard": "shardId-1", "from": "a", "to": "b"}
    first = happened(ran, 9_000, worker="b", what="started", why="on host-b")
    then = happened(ran, 3_600, **words, why="not renewed for 31 s")
    code, said, _ = ask("events", ran.name)
    assert code == 0 and said.splitlines() == [
        f"{first}  b  started   on host-b",
        f"{then}  b  moved     shard shardId-1 from a to b: not renewed for 31 s",
    ]
    assert ask("events", "--since", "2h").out == said.splitlines()[1] + "\n"
    (moved,) = json.loads(ask("events", "--since", "2h", "--json").out)
    assert moved.pop("at") == pytest.approx(NOW - 3_600, abs=0.001)
    assert moved == {
        "what": "moved", "from": "a", "teller": "b", "shard": "shardId-1", "to": "b",
        "why": "not renewed for 31 s",
    }  # fmt: skip


@pytest.mark.usefixtures("ran")
def test_pauses_are_events(ask: Ask) -> None:
    """With who made and who ended them; to go on with what goes on is none."""
    ask("resume")
    ask("pause")
    ask("resume")
    told = json.loads(ask("events", "--json").out)
    assert [event["what"] for event in told] == ["paused", "resumed"]
    assert all("@" in event["teller"] for event in told)


@pytest.mark.usefixtures("ran")
def test_no_events_are_told_as_such(ask: Ask) -> None:
    """On stderr: there is no data."""
    code, said, told = ask("events")
    assert (code, said) == (0, "") and told.startswith("No events: ")
    assert ask("events", "--json").out == "[]\n"
    assert ask("events", "--since", "2").code == 2


@pytest.mark.usefixtures("ran")
def test_those_to_come_are_told_as_they_come(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object a line; a network that fails meanwhile is told, and ends nothing."""
    looks: list[list[Event] | None] = [[], None, [Event(1.0, "b", "started")]]

    def read(_: Task) -> list[Event]:
        if not looks:
            raise KeyboardInterrupt
        found = looks.pop(0)
        if found is None:
            raise OperatorError("The network is gone.", "mend it")
        return found

    monkeypatch.setattr(history, "read_events", read)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    code, said, told = ask("events", "--follow", "--json")
    assert code == 130 and json.loads(said)["what"] == "started"
    assert told == "Error: The network is gone.\n"
