"""What the exporter's page shows, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given, settings

from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import SourceError
from kcl_processor.fleet.events import Event
from kcl_processor.fleet.limit import Limit
from kcl_processor.fleet.pause import Pause
from kcl_processor.launch.proof import Standing
from kcl_processor.operate.lag_history import Reading
from kcl_processor.operate.page_documents import MOST, Documents, bounded
from kcl_processor.operate.page_watch import Seen, Watch
from kcl_processor.operate.status import UNKNOWN, Status, summarise
from kcl_processor.state.gaps import Gap
from kcl_processor.table.under_way import Copying
from tests.fakes import Beside, HandClock
from tests.kcl_tables import make_task
from tests.sights import HOUR, sight, view
from tests.test_hostile import ANYTHING

CLOCK = HandClock()
NOW = CLOCK.now()


def seen(**options: Any) -> Seen:
    """What a look found: one shard that is read, and nothing else, but for what is given."""
    found = sight(view(lag=2.0))
    made = Seen(NOW - 20, summarise(found), found, [], [], {"copy": None, "verify": None}, {})
    made = replace(made, **options)
    status = summarise(made.sight) if made.sight else made.status
    return replace(made, status=status)


def watched(folder: Path, name: str, found: Seen | None) -> Watch:
    """A task that was looked at."""
    files = TaskFiles(replace(make_task(), name=name), folder)
    watch = Watch(files, CLOCK, Beside(), CLOCK.turn, {}, print)
    watch._seen = found and replace(found, status=replace(found.status, task=name))
    return watch


def documents(*watches: Watch, said: Callable[[str], str] = str) -> Documents:
    return Documents(watches, CLOCK, said)


def one(folder: Path, found: Seen | None, **options: Any) -> dict[str, Any]:
    """All of one task, as a browser has it."""
    document = documents(watched(folder, "orders", found), **options).task("orders")
    assert document
    return dict(orjson.loads(orjson.dumps(document)))


def test_the_worst_task_is_first(tmp_path: Path) -> None:
    """By how bad it is, whether it runs, and how far it is behind; then by its name."""
    kinds = {
        "well": seen(),
        "late": seen(sight=sight(view(lag=600.0))),
        "stopped": seen(sight=sight(view(state="stopped"), live=[])),
        "unseen": None,
        "gap": seen(sight=sight(view(), gaps=1)),
        "critical": seen(sight=sight(view(lag=19 * HOUR))),
        "also-well": seen(),
    }
    watches = [watched(tmp_path, name, found) for name, found in kinds.items()]
    told = documents(*watches).tasks()["tasks"]
    assert [task["task"] for task in told] == [
        *("critical", "unseen", "gap", "stopped", "late", "also-well", "well")
    ]
    assert (told[1]["state"], told[1]["lag"], told[1]["gaps"]) == (UNKNOWN, None, None)


def test_a_task_is_told_whole(tmp_path: Path) -> None:
    """As the commands' JSON has it, with all that is beside."""
    found = sight(
        view(lag=2.0),
        pauses=[Pause(None, "ada@host", NOW)],
        limit=Limit(50.0, "ada@host", NOW, waiting=2),
        proof=Standing(8, NOW - 60, differences=1),
    )
    event = Event(NOW - 5, "w-2", "moved", "shardId-1", "w-1", "w-2", "not renewed")
    gap = Gap(NOW - 9, "shardId-1", "17", None, None, "trimmed")
    work = {"copy": Copying("live copy", items=3), "verify": None}
    told = one(tmp_path, seen(sight=found, events=[event], gaps=[gap], work=work))
    assert (told["state"], told["limit"], told["differences"]) == ("paused", 50.0, 1)
    assert told["limited"]["waiting"] == 2 and told["pauses"][0]["by"] == "ada@host"
    (lease,) = told["leases"]
    assert (lease["shard"], lease["lag"], lease["depth"]) == ("shardId-1", 2.0, 0)
    (happened,) = told["events"]
    assert (happened["from"], happened["to"], happened["teller"]) == ("w-1", "w-2", "w-2")
    assert happened["words"] == "shard shardId-1 from w-1 to w-2: not renewed"
    assert told["open_gaps"][0]["reason"] == "trimmed"
    assert (told["copy"]["kind"], told["copy"]["items"]) == ("live copy", 3)
    assert told["verify"] is None and told["unseen"] is None and told["seen_at"] == NOW - 20


def test_children_stand_below_their_parents(tmp_path: Path) -> None:
    """Each with how many generations are above it."""
    views = [
        replace(view(name), parents=parents)
        for name, parents in (("s1", ()), ("s2", ()), ("s3", ("s1",)), ("s4", ("s3",)))
    ]
    told = one(tmp_path, seen(sight=sight(*views)))["leases"]
    shown = [(lease["shard"], lease["depth"]) for lease in told]
    assert shown == [("s1", 0), ("s3", 1), ("s4", 2), ("s2", 0)]


def test_what_could_not_be_had_is_unknown_and_never_nothing(tmp_path: Path) -> None:
    """Before the first look, after one that failed, and of a part of one."""
    wanted = ["leases", "events", "open_gaps", "copy", "verify", "proof", "pauses", "lag", "limit"]
    wanted.append("throttled")
    failed = seen(sight=None, status=Status("orders", UNKNOWN, "warn"), events=None, gaps=None)
    failed = replace(failed, work={}, unknown={"status": "it is away. Try: kcl-processor doctor"})
    for found in (None, failed):
        told = one(tmp_path, found, said=lambda text: text.replace("doctor", "doctor -c a.yml"))
        assert [told[name] for name in wanted] == [None] * len(wanted)
    assert told["unknown"] == {"status": "it is away. Try: kcl-processor doctor -c a.yml"}
    blind = sight(view(), unseen=SourceError("the stream is away", "wait"))
    told = one(tmp_path, seen(sight=blind))
    assert (told["lag"], told["unseen"]) == (None, "the stream is away")


def test_events_are_those_of_a_day_the_last_one_first(tmp_path: Path) -> None:
    """And no more than a browser shows gladly."""
    moments = [NOW - 25 * HOUR, NOW - 23 * HOUR, NOW - 1, NOW + 10 * HOUR]
    told = one(tmp_path, seen(events=[Event(at, "w", "started") for at in moments]))
    assert [event["at"] for event in told["events"]] == [NOW - 1, NOW - 23 * HOUR]
    many = [Event(NOW - 1000 + at, "w", "moved") for at in range(MOST + 10)]
    told = one(tmp_path, seen(events=many))
    assert [event["at"] for event in told["events"]] == [one.at for one in many[: -MOST - 1 : -1]]


def test_readings_are_those_of_a_day(tmp_path: Path) -> None:
    """What was not known is null among them."""
    watch = watched(tmp_path, "orders", seen())
    for reading in (Reading(NOW - 60, 3.0, 9.0), Reading(NOW, None, None)):
        watch.lags.add(reading)
    told = documents(watch).task("orders")
    assert told and told["lags"] == [(NOW - 60, 3.0, 9.0), (NOW, None, None)]


def test_there_is_no_other_task(tmp_path: Path) -> None:
    """Nothing of another name is looked for in files."""
    assert documents(watched(tmp_path, "orders", None)).task("../orders") is None


@given(ANYTHING)
@settings(max_examples=30)
def test_whatever_rows_hold_can_be_told(value: Any) -> None:
    """Texts of any length, numbers of any size, halves of characters."""
    text = orjson.dumps(bounded({"row": value, "text": "\ud800" + "x" * 400_000}))
    assert len(text) < 100_000
