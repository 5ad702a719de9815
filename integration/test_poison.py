"""One item that the destination never accepts: stop, or set it aside and go on, then replay."""

from __future__ import annotations

import json

import pytest

from integration.simulator.client import Option
from integration.simulator.items import key_of
from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story

POISON = key_of(7)[0]
RULE = {"kind": "poison", "keys": [POISON]}


def test_poison_stops_or_is_set_aside_and_replayed(story: Stories, tell: Tell, local: str) -> None:
    """By default the daemon exits with 8 and says where; with dead letters everything goes on."""
    # A real table, because a replay writes under a condition.
    real: dict[str, Option] = {
        "behind": local,
        "destination_local": True,
        "destination_table": "poisoned",
    }
    told = story(lineages=2, preload=300, keys=200, rate=60.0, delete_share=0.0, **real)
    told.simulator.faults(destination=[RULE])
    poisoned = told.simulator.control(change={"number": 7})["change"]
    worker = told.start()
    assert worker.wait(90) == 8
    (end,) = told.status()["endings"]
    assert (end["worker"], end["code"]) == ("worker-1", 8) and "on_poison" in end["hint"]
    lines = [line for line in worker.log().splitlines() if "never accepts record" in line]
    assert len(lines) == 2, "connectors.log has it, and stderr"
    for line in (*lines, end["reason"]):
        for named in ("Table poisoned", poisoned["shard"], "key attributes pk, sk", "poison"):
            assert named in line
    assert POISON not in worker.log(), "no value of the item is logged"

    told.configure(on_poison="dead-letter")
    worker = told.started()
    told.simulator.control(load={"rate": 0})
    last = told.simulator.control(change={"number": 7})["change"]
    until(lambda: last["sequence"] in _letters(told), "the last one is set aside")
    until(lambda: told.simulator.status()["behind"] == 1, "all but one arrive")

    refused = told.run("replay")
    assert refused.returncode == 8 and "refused again" in refused.stdout
    told.simulator.faults(destination=[])
    replayed = told.run("replay", "--json")
    assert replayed.returncode == 0, replayed.stderr
    counts = json.loads(replayed.stdout)
    assert counts["applied"] == 1 and counts["refused"] == 0
    assert json.loads(told.run("replay", "--json").stdout)["applied"] == 0
    verdict = told.simulator.settle(30)
    assert worker.running()
    assert_replicated(verdict)
    tell("an item that is never accepted", told, verdict, 1, "exit code 8; set aside; replayed")


def _letters(told: Story) -> list[str]:
    path = told.commands.state / f"{told.name}.dead-letters.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line)["sequenceNumber"] for line in lines]
