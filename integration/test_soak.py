"""The soak repeats its plan from a seed, and its judge tells loss from what was told."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integration.simulator.client import SimulatorProcess
from integration.simulator.faults import KINDS as RULE_KINDS
from integration.soak.judge import Verdict, judge
from integration.soak.report import Report, ends
from integration.soak.run import kinds
from integration.soak.supervisor import Ending, Supervisor
from integration.soak.weather import KINDS, Place, plan
from integration.soak.writer import Writer
from integration.until import until
from integration.worker import Worker
from kcl_processor.state.gaps import Gap

HOUR = 3600.0
EVERY = list(KINDS)

CLEAN = Report({}, 1, 1, {}, Verdict(), 0, 0, 0, 0, 0.1, 1.0, [])

# What the simulator says of a key that differs; its last change was made at second 100.9.
LAST = {"shard": "s", "sequence": "50", "created": 100.9, "version": 3, "arrived": 2}
GONE = {**LAST, "key": "k", "kind": "different", "in_stream": False}
THERE = {**GONE, "in_stream": True}


def test_a_seed_repeats_its_plan() -> None:
    """Kinds, times, targets and strengths are the same again, and others for another seed."""
    assert plan(7, HOUR, 3, EVERY) == plan(7, HOUR, 3, EVERY)
    assert plan(7, HOUR, 3, EVERY) != plan(8, HOUR, 3, EVERY)


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_draws_every_kind(seed: int) -> None:
    """About as often each, on every worker, in the order of time, and all over at the end."""
    events = plan(seed, HOUR, 3, EVERY)
    counts = Counter(event.kind for event in events)
    assert set(counts) == set(EVERY)
    assert max(counts.values()) - min(counts.values()) <= 2
    assert {event.worker for event in events} == {0, 1, 2}
    assert events == sorted(events, key=lambda event: event.at)
    assert all(event.at + event.seconds <= HOUR + 0.1 for event in events)


def test_no_kind_is_drawn_while_it_lasts() -> None:
    """An outage in an outage would be over too early; with one kind alone, it waits."""
    for chosen in (EVERY, ["destination-away"]):
        over: dict[str, float] = {}
        for event in plan(3, HOUR, 3, chosen):
            assert event.at >= over.get(event.kind, 0.0) - 0.1
            over[event.kind] = event.at + event.seconds


def test_every_rule_is_one_of_the_simulator() -> None:
    """What is no rule has a place where it is made to happen by its name."""
    for name, kind in KINDS.items():
        assert all(rule.kind in RULE_KINDS for rule in kind.rules), name
        by_name = kind.place in (Place.WORKER, Place.STREAM) or name.endswith("-away")
        assert by_name or kind.rules, name


def test_the_kinds_that_are_wanted() -> None:
    """A kind that does not exist is refused by name."""
    assert kinds(["stop", "split"], ["split"]) == ["stop"]
    assert kinds([], ["stop"]) == [name for name in EVERY if name != "stop"]
    with pytest.raises(ValueError, match="no such fault: hail"):
        kinds(["hail"], [])


@pytest.mark.parametrize(
    ("difference", "counted"),
    [
        (THERE, Verdict(stale=1)),
        (THERE | {"kind": "lost"}, Verdict(lost=1)),
        (THERE | {"kind": "extra"}, Verdict(extra=1)),
        ({"key": "never made", "kind": "extra", "shard": None}, Verdict(extra=1)),
        (GONE, Verdict(silent=1)),
        (GONE | {"kind": "lost"}, Verdict(silent=1)),
        (GONE | {"arrived": 3}, Verdict(stale=1)),
    ],
)
def test_a_key_that_differs_is_counted(difference: dict[str, Any], counted: Verdict) -> None:
    """By what is missing; and apart, where the change left the stream before it arrived."""
    found = judge([difference], [])
    assert replace(found, examples={}) == counted
    assert list(found.examples.values()) == [[difference]]
    assert not found.clean


@pytest.mark.parametrize(
    ("gap", "covers"),
    [
        ({}, True),
        ({"checkpoint": "TRIM_HORIZON"}, True),
        ({"until": None}, True),
        ({"checkpoint": "50"}, False),
        ({"shard": "another"}, False),
        ({"until": "1970-01-01T00:01:39Z"}, False),
    ],
)
def test_a_gap_that_was_told_covers_its_changes(gap: dict[str, Any], *, covers: bool) -> None:
    """Those of its shard, after its checkpoint, until its end; and no change that can be read."""
    whole = Gap(0.0, "s", "49", None, "1970-01-01T00:01:40Z", "")
    told = replace(whole, **gap)
    assert replace(judge([GONE], [told]), examples={}) == Verdict(
        **{"told" if covers else "silent": 1}, examples={}
    )
    assert judge([THERE], [told]).stale == 1


def test_what_arrived_before_a_gap_and_went_back_is_told() -> None:
    """A reader that began at its checkpoint laid older images over it, and met the gap behind."""
    told = Gap(0.0, "s", "40", None, None, "")
    assert judge([GONE | {"arrived": 3}], [told]).told == 1


def test_the_simulator_says_how_keys_differ() -> None:
    """Each with its last change, whether that can still be read, and what a trim took unread."""
    with SimulatorProcess(lineages=1) as simulator:
        simulator.control(change={"number": 1})
        shard = simulator.control(change={"number": 2})["change"]["shard"]
        assert simulator.control(trim={"seconds": -1})["trim"] == {shard: 2}
        assert simulator.status()["gaps"] == 1
        simulator.control(change={"number": 2})
        first, second = sorted(simulator.differences(), key=lambda found: str(found["key"]))
    assert (first["kind"], first["in_stream"], first["version"]) == ("lost", False, 1)
    assert (second["kind"], second["in_stream"], second["version"]) == ("lost", True, 2)
    assert judge([first, second], []) == Verdict(
        lost=1, silent=1, examples={"silent": [first], "lost": [second]}
    )


def test_the_writer_deletes_items_and_makes_them_again() -> None:
    """At a pace that changes; and it stops."""
    now = 0.0
    with SimulatorProcess(lineages=2) as simulator:
        writer = Writer(simulator, 100.0, random.Random(1), lambda: now)
        for _ in range(100):
            writer.look()
            now += 4.0
        writer.stop()
        found = {row["key"]: row for row in simulator.differences()}
    again = [row for key, row in found.items() if key > "item#9" and row["version"] > 2]
    assert again and all(row["kind"] == "lost" for row in again)


def test_a_supervisor_starts_again_what_ended(tmp_path: Path) -> None:
    """Each end is counted with its fault, and the next daemon comes a second later."""
    now, told = 0.0, list[str]()
    supervisor = Supervisor(_shell(tmp_path, "exec sleep 60"), lambda: now, told.append)
    supervisor.start()
    first = supervisor.worker
    supervisor.expect_end("kill-host")
    first.kill()
    supervisor.look()
    assert told == ["worker-1 ended with -9: kill-host"]
    supervisor.look()
    assert supervisor.worker is first
    now += 1.0
    supervisor.look()
    assert supervisor.worker is not first and supervisor.worker.running()
    supervisor.kill_all()
    supervisor.look()
    assert ends(supervisor.endings) == {"kill-host: -9": 1, "by itself: -9": 1}


def test_a_stop_that_takes_too_long_is_a_kill(tmp_path: Path) -> None:
    """After what the rendered units grant."""
    now = 0.0
    ready = tmp_path / "ready"
    line = f"trap '' TERM; touch {ready}; while :; do sleep 1; done"
    supervisor = Supervisor(_shell(tmp_path, line), lambda: now, lambda _: None)
    supervisor.start()
    until(ready.exists, "it ignores the signal", 10)
    supervisor.stop()
    supervisor.look()
    assert supervisor.worker.running()
    now += 46.0
    supervisor.look()
    supervisor.look()
    assert [(end.code, end.after) for end in supervisor.endings] == [
        (-9, "stop, which took too long")
    ]


@pytest.mark.parametrize(
    ("code", "after", "wrong"),
    [
        *((-9, "kill-host", False), (1, "kill-child", False), (1, "by itself", False)),
        *((0, "stop", False), (0, "by itself", True), (7, "stop", True), (70, "by itself", True)),
    ],
)
def test_an_end_that_no_fault_asks_for(code: int, after: str, *, wrong: bool) -> None:
    """A code that says not to restart is one, whatever was done."""
    assert bool(Ending("worker-1", code, after).finding) is wrong


def test_a_report_passes_only_if_nothing_is_wrong() -> None:
    """Every count that must be zero, the time, and the findings."""
    assert CLEAN.passed and CLEAN.text().endswith("passed")
    assert replace(CLEAN, verdict=Verdict(told=5), gaps_told=1).passed
    for wrong in (
        *(
            replace(CLEAN, verdict=Verdict(**{way: 1}, examples={}))
            for way in ("lost", "stale", "extra")
        ),
        replace(CLEAN, verdict=Verdict(silent=1)),
        replace(CLEAN, whole_after=None),
        replace(CLEAN, findings=["worker-1 ended with 70"]),
    ):
        assert not wrong.passed and wrong.text().endswith("FAILED")
        assert wrong.record()["passed"] is False


@pytest.mark.story
@pytest.mark.drill
@pytest.mark.timeout(600)
def test_a_minute_of_kills_and_rollovers() -> None:
    """Nothing is lost, and the figures say what was done."""
    faults = [word for name in ("kill-host", "kill-child", "rollover") for word in ("--only", name)]
    line = [sys.executable, "-m", "integration.soak", "--json", "--minutes", "1", "--seed", "1"]
    ran = subprocess.run([*line, *faults], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    found = json.loads(ran.stdout)
    assert found["passed"] and "--seed 1 --minutes 1" in found["again"]
    assert set(found["faults"]) == {"kill-host", "kill-child", "rollover"}
    assert found["changes"] > 1000 and found["endings"]["kill-host: -9"] >= 1


def _shell(folder: Path, line: str) -> Callable[[], Worker]:
    return lambda: Worker(["sh", "-c", line], folder / "log")
