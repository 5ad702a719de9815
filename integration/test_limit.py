"""A limit holds a fleet to a number of write units while it stands, and nothing is missing."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from integration.credentials import environment
from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until
from kcl_processor.fleet.limit import IN_FORCE

pytestmark = pytest.mark.story

# What may be saved up, and go out at once, in seconds of the limit (``WriteAccount.java``).
_BURST = 1.0


def _consumed(told: Story, seconds: float) -> float:
    """The units a second that were consumed in that time."""
    before, began = told.simulator.status()["consumed"], time.monotonic()
    until(lambda: time.monotonic() - began >= seconds, "that time has passed")
    return float(told.simulator.status()["consumed"] - before) / (time.monotonic() - began)


def _limit(told: Story, *words: str) -> None:
    done = told.run("limit", *words)
    assert done.returncode == 0, done.stderr


def test_a_limit_is_kept_by_what_writes_cost(story: Stories) -> None:
    """With an index each write costs twice what its item weighs. What waits is no trouble."""
    told = story(lineages=2, preload=20, keys=200, rate=20.0)
    told.simulator.control(indexes=1)
    worker = told.started()
    _limit(told, "--max-wcu", "40")
    told.simulator.control(load={"rate": 200})
    until(lambda: "limited to 40.0 write units" in worker.log(), "it is in force", IN_FORCE)
    # A worker takes its part at its second look.
    until(lambda: told.simulator.status()["consumed"] > 0, "it has its part", IN_FORCE)
    words = told.commands.line("health", "--max-lag", "0", "--max-idle", "5", "--json")
    health = subprocess.Popen(words, stdout=subprocess.PIPE, env=environment(), text=True)
    seconds = 4.0
    rate = _consumed(told, seconds)
    assert 40 * 0.7 < rate < 40 * (1 + _BURST / seconds) + 4, rate
    healthy = json.loads(health.communicate()[0])
    assert healthy["healthy"] and "limited to 40 WCU/s by " in healthy["limited"][0], healthy
    assert "for it" in healthy["limited"][0]
    _limit(told, "--off")
    assert_replicated(told.simulator.settle(30))


@pytest.mark.drill
def test_a_limit_is_the_fleets_and_goes_to_who_needs_it(story: Stories, tell: Tell) -> None:
    """Over a kill and a start, with rollovers: never more, and soon as much again."""
    told = story(lineages=4, preload=40, keys=400, rate=20.0)
    first, killed = told.started("worker-1"), told.started("worker-2")
    until(lambda: set(told.owners().values()) == {"worker-1", "worker-2"}, "both have shards", 60)
    told.simulator.control(load={"rate": 400})
    _limit(told, "--max-wcu", "60")
    rates = []
    for then in (lambda: None, killed.kill, lambda: told.simulator.control(rollover=None)):
        then()
        _consumed(told, IN_FORCE)
        rates.append(_consumed(told, 12.0))
    again = told.start("worker-2")
    rates.append(_consumed(told, 20.0))
    stops = []
    for worker in (again, first):
        began = time.monotonic()
        assert worker.stop() == 0, worker.log()
        stops.append(time.monotonic() - began)
    # A batch that waits for the destination is dropped ten seconds into a stop.
    assert max(stops) < 9, stops
    assert told.simulator.status()["behind"] > 0
    told.started("worker-1")
    assert min(rates) > 60 * 0.5 and max(rates) < 60 * 1.1, rates
    _limit(told, "--off")
    verdict = told.simulator.settle(90)
    assert_replicated(verdict)
    shown = ", ".join(f"{rate:.0f}" for rate in rates)
    tell("a limit of 60 WCU/s over a kill and a rollover", told, verdict, 1, f"{shown} WCU/s")
