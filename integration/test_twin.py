"""One worker id on two hosts: the one that came later ends by name, however it was started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integration.bootstrap import bootstrapped
from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until
from integration.worker import Worker

pytestmark = pytest.mark.story

# failoverTimeMillis, and what a start takes.
FAILOVER, START = 10, 15


def test_a_twin_on_another_host_ends(story: Stories, tell: Tell) -> None:
    """Within a failover time, before it writes; the first one goes on. A dead one is replaced."""
    told = story(lineages=2, preload=100, keys=50, rate=50.0)
    told.set_worker_id("worker-1")
    first = told.started()
    twin = elsewhere(told, "twin")
    with twin:
        noticed = until(lambda: not twin.running(), "the twin ends", FAILOVER + START)
        assert twin.wait() == 2, twin.log()
        assert "Another daemon of worker worker-1 lives on" in twin.log()
        assert "--workerId" in twin.log()
    with bootstrapped(told.commands, told.folder / "here-daemon") as beside:
        assert beside.wait(START) == 2, beside.log()
        assert "A daemon of worker worker-1 already runs on this host" in beside.log()
    assert first.running()
    first.kill()
    arrives = told.more_writes()
    with elsewhere(told, "successor") as successor:
        took = until(lambda: arrives() or not successor.running(), "it writes", 90)
        assert successor.running(), successor.log()
        verdict = told.simulator.settle(60)
        assert_replicated(verdict)
        assert successor.stop() == 0
    tell("a worker id on two hosts", told, verdict, 1, f"noticed in {noticed:.1f} s")
    assert took < FAILOVER + START + 5


def test_a_start_that_watches_another_daemon_can_be_stopped(story: Stories) -> None:
    """Nothing has begun by then, and a stop is a stop."""
    told = story(lineages=1, preload=100, keys=50)
    told.set_worker_id("worker-1")
    told.started().kill()
    with elsewhere(told, "successor") as successor:
        until(lambda: "watching whether the daemon" in successor.log(), "it watches", START)
        assert successor.stop() == 0, successor.log()
        assert "stopped before it began, exit code 0" in successor.log()


def elsewhere(told: Story, host: str) -> Worker:
    """The task's worker as on another host: it has a state directory of its own there."""
    commands = replace(told.commands, state=told.folder / host)
    return bootstrapped(commands, told.folder / f"{host}-daemon")
