"""Kill -9 of a child, of the daemon, of both: the restart goes on where it was safe."""

from __future__ import annotations

import os
import random
import signal

import pytest

from integration.story import Stories, Tell, assert_replicated
from integration.until import until
from integration.worker import Worker
from kcl_processor.replicate.fork_server import PROCESSES

pytestmark = pytest.mark.story


def test_the_kill_of_a_child_stops_the_daemon_with_a_reason(story: Stories, tell: Tell) -> None:
    """A killed record processor ends the daemon with exit code 1 and one line; nothing is lost."""
    told = story(lineages=2, preload=500, keys=200, rate=100.0)
    worker = told.started()
    until(lambda: len(worker.children()) == 2, "a child for each shard")
    worker.children()[0].kill()
    assert worker.wait() == 1
    reason = "ended by signal 9"
    assert [line for line in worker.log().splitlines() if reason in line and "shardId-" in line]
    back = told.started()
    back.kill()
    assert told.started().running()
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    tell("kill -9 of a child, then of the host", told, verdict, 2)


def test_the_kill_of_a_process_that_shards_share_stops_the_daemon(story: Stories) -> None:
    """With the code of any killed record processor, as soon, and nothing is lost."""
    told = story(lineages=2 * PROCESSES, preload=500, keys=200, rate=100.0)
    worker = told.started()
    until(lambda: told.simulator.status()["behind"] < 20, "every shard is read")
    assert len(worker.children()) == PROCESSES
    worker.children()[0].kill()
    assert worker.wait(20) == 1
    reason = "ended by signal 9"
    assert [line for line in worker.log().splitlines() if reason in line and "shardId-" in line]
    told.started()
    assert_replicated(told.simulator.settle(60))


def test_the_kill_of_the_fork_server_stops_the_daemon_with_a_reason(story: Stories) -> None:
    """Exit code 1 and a line that says so; what is started next goes on where it stood."""
    told = story(lineages=2, preload=100, keys=100, rate=50.0)
    worker = told.started()
    until(lambda: len(worker.children()) == 2, "a child for each shard")
    os.kill(worker.children()[0].ppid(), signal.SIGKILL)
    assert worker.wait(60) == 1
    assert "server ended by signal 9, and with it the daemon" in worker.log()
    told.started()
    assert_replicated(told.simulator.settle(60))


def test_a_kill_of_the_daemon_alone_leaves_no_writer_behind(story: Stories) -> None:
    """The children of a killed daemon write no more and end by themselves."""
    told = story(lineages=2, preload=500, keys=200, rate=100.0)
    worker = told.started()
    until(lambda: len(worker.children()) == 2, "a child for each shard")
    children = worker.children()
    worker.kill_daemon()
    until(lambda: not any(child.is_running() for child in children), "the children end", 20)
    told.started()
    assert_replicated(told.simulator.settle(60))


def test_a_restart_waits_for_what_the_killed_daemon_has_on_the_wire(
    story: Stories, tell: Tell
) -> None:
    """The daemon alone is killed while requests are on a slow way, and started again at once."""
    told = story(lineages=2, preload=100, keys=20, rate=100.0)
    worker = told.started()
    told.simulator.faults(destination=[{"kind": "latency", "milliseconds": 16000}])
    until(told.more_writes(2), "requests are on their way")
    until(told.more_changes(100), "their keys change again")
    told.simulator.control(load={"rate": 0})
    left = worker.children()
    worker.kill_daemon()
    told.simulator.faults(destination=[])
    told.started()
    until(lambda: not any(child.is_running() for child in left), "its children have ended")
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    tell("kill -9 of the daemon alone, started again at once", told, verdict)


@pytest.mark.drill
@pytest.mark.timeout(600)
def test_twenty_kills(story: Stories, tell: Tell) -> None:
    """Killed 20 times at any moment, of the start too, a replica ends equal."""
    told = story(lineages=3, preload=2000, keys=500, rate=150.0, hot_share=0.2)
    told.simulator.faults(destination=[{"kind": "latency", "milliseconds": 40}])
    dice = random.Random(4)
    for number in range(20):
        worker = told.started() if number % 4 else told.start()
        told.simulator.control(rollover=number % 3)
        _wait(dice.uniform(0, 4))
        _kill(worker, ("host", "child", "daemon")[number % 3], dice)
    told.started()
    verdict = told.simulator.settle(90)
    assert_replicated(verdict)
    tell("kill -9 of host, child or daemon at any moment", told, verdict, 20)


def _wait(seconds: float) -> None:
    """The kills come at moments that nothing announces."""
    signal.sigtimedwait([], seconds)


def _kill(worker: Worker, what: str, dice: random.Random) -> None:
    children = worker.children()
    if what == "host" or not children:
        worker.kill()
    elif what == "child":
        dice.choice(children).kill()
        assert worker.wait() == 1, worker.log()
    else:
        worker.kill_daemon()
