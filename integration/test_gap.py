"""Changes that left the stream unread are never passed over in silence."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable

import psutil
import pytest

from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until
from integration.worker import Worker

pytestmark = pytest.mark.story


def test_a_checkpoint_older_than_the_stream(story: Stories, tell: Tell) -> None:
    """The daemon stops with 9 and says what is missing; told to go on, it notes it and does. Who
    heals beside it says what to type where the source has no recovery, is started again when it is
    killed, and ends with it."""
    told = story(lineages=1, preload=100, keys=50)
    _replicate_and_stop(told)
    told.simulator.control(write=50)
    told.simulator.control(trim={"seconds": -1})
    told.simulator.control(write=20)
    worker = told.start()
    assert worker.wait(90) == 9
    time = r"20\d\d-\d\d-\d\dT[0-9:.]+Z"
    missing = rf"GAP changes of shard shardId-\S+ after \d+, made from {time} to {time}, left"
    assert re.search(missing, worker.log()), worker.log()
    assert f"kcl-processor verify {told.name} --repair" in worker.log()

    told.configure(on_gap="heal", heal_bucket="changes")
    worker = told.started()
    (noted,) = _noted(told)
    assert noted["shard"].startswith("shardId-") and noted["checkpoint"].isdigit()
    assert noted["from"] < noted["to"] and noted["reason"]
    # What was trimmed is missing for good, and everything after it arrives.
    until(lambda: told.simulator.verdict()["latency_ms"]["max"] is not None, "changes arrive")
    tell("checkpoint older than the stream", told, told.simulator.settle(5), 1, "exit code 9")
    off = "point-in-time recovery of the source is off. Try: kcl-processor verify"
    mend = rf"{off} .*{told.name} --repair --delete-extra"
    until(lambda: re.search(mend, worker.log()) is not None, "who heals says what to type")
    (killed,) = _healers(worker)
    killed.kill()
    until(lambda: worker.log().count(off) == 2, "another heals in its place")
    (healer,) = _healers(worker)
    assert "the process that heals gaps ended by signal 9, and is started again" in worker.log()
    assert told.status()["gaps"] == 1
    worker.kill_daemon()
    until(lambda: not healer.is_running(), "it ends with the daemon")


def _healers(worker: Worker) -> list[psutil.Process]:
    return [one for one in worker.host() if "heal" in one.cmdline()]


@pytest.mark.drill
def test_a_shard_that_expired_unread(story: Stories) -> None:
    """A shard that is gone before its end was read is a gap; its child is read after it."""
    told = story(lineages=1, preload=100, keys=50)
    _replicate_and_stop(told)
    told.simulator.control(write=50)
    told.simulator.control(rollover=None)
    told.simulator.control(trim={"seconds": -1, "expire": True})
    told.simulator.control(write=50)
    worker = told.start()
    assert worker.wait(90) == 9
    assert "GAP changes of shard" in worker.log()
    told.configure(on_gap="continue")
    told.started()
    assert len(_noted(told)) == 1


def test_a_shard_that_was_never_checkpointed(story: Stories) -> None:
    """Killed before its first checkpoint, a daemon that comes back behind it states the gap."""
    told = story(lineages=1, preload=100, keys=50)
    _kill_before_a_checkpoint(told)
    _write_and_trim(told)
    (view,) = json.loads(told.run("leases", "--json", "--no-wait").stdout)
    assert (view["state"], view["checkpoint"]) == ("gap", "TRIM_HORIZON")
    worker = told.start()
    assert worker.wait(90) == 9
    assert re.search(r"GAP changes of shard shardId-\S+ after TRIM_HORIZON, made", worker.log())
    told.configure(on_gap="continue")
    told.simulator.control(write=20)
    told.started()
    (noted,) = _noted(told)
    assert noted["checkpoint"] == "TRIM_HORIZON" and noted["from"] < noted["to"]


@pytest.mark.drill
def test_a_first_start_behind_the_beginning(story: Stories) -> None:
    """A first start reads what is left; what it found then may not go unread, but in its hour."""
    told = story(lineages=1, preload=100, keys=50, stream_age=90_000.0)
    _write_and_trim(told)
    told.simulator.control(write=50)
    assert "GAP" not in _kill_before_a_checkpoint(told)
    (shard,) = told.leases()
    hours_ago = int(time.time() - 2 * 3600) * 1000
    told.set_lease(shard, beginFoundAt=hours_ago)
    _write_and_trim(told)
    worker = told.start()
    assert worker.wait(90) == 9
    assert "after TRIM_HORIZON" in worker.log()


@pytest.mark.drill
def test_a_reset_shard_that_is_trimmed_while_it_waits(story: Stories) -> None:
    """A reset's lease says nothing of its shard's begin: the leader notes it while it is there."""
    told = story({"on_gap": "continue"}, lineages=1, preload=100, keys=50)
    worker = told.started()
    (parent,) = told.leases()
    (child,) = told.simulator.control(rollover=0)["rollover"]
    told.simulator.control(write=50)
    told.caught_up()
    assert worker.stop() == 0
    told.run("leases", "reset", told.name, "--shard", parent, "--yes")
    assert "beginSequenceNumber" not in told.leases()[child]
    away = {"kind": "InternalServerError", "operation": "BatchWriteItem"}
    told.simulator.faults(destination=[away])
    worker = told.start()
    # The leader looks a minute after its start, and every two from then on.
    until(lambda: "beginSequenceNumber" in told.leases()[child], "its begin is noted", 200)
    told.simulator.control(trim={"seconds": -1})
    told.simulator.control(write=50)
    told.simulator.faults(destination=[])
    until(lambda: told.leases()[child]["checkpoint"].isdigit(), "the child is read", 120)
    assert [noted["shard"] for noted in _noted(told)] == [child] and worker.running()


def test_a_shard_that_came_and_went_without_a_lease(story: Stories) -> None:
    """Its parent ended before the stream told its children: its own children tell that it was."""
    told = story(lineages=1, preload=100, keys=50)
    worker, unseen = _end_without_children(told)
    worker.kill()
    told.simulator.control(write=50)
    told.simulator.control(rollover=None)
    told.simulator.control(trim={"seconds": -1, "expire": True})
    told.simulator.faults(source=[])
    told.simulator.control(write=20)
    worker = told.start()
    assert worker.wait(90) == 9
    assert f"GAP changes of shard {unseen} after TRIM_HORIZON, made" in worker.log()
    told.configure(on_gap="continue")
    told.started()
    assert [gap["shard"] for gap in _noted(told)] == [unseen]


def test_a_shard_that_ended_before_its_children_were_told(story: Stories) -> None:
    """They are read within seconds, though the KCL looks for new shards every two minutes."""
    told = story(lineages=1, preload=100, keys=50)
    worker, child = _end_without_children(told)
    told.simulator.faults(source=[])
    until(lambda: child in told.leases(), "the child has a lease", 10)
    assert_replicated(told.simulator.settle(30))
    assert worker.running()


def _end_without_children(told: Story) -> tuple[Worker, str]:
    """Let a shard end while nobody can list shards; its worker and its child."""
    worker = told.started()
    until(lambda: told.simulator.status()["behind"] == 0, "the first changes arrive")
    (parent,) = told.leases()
    told.simulator.faults(source=[{"kind": "InternalServerError", "operation": "DescribeStream"}])
    (child,) = told.simulator.control(rollover=0)["rollover"]
    until(lambda: told.leases()[parent]["checkpoint"] == "SHARD_END", "the shard ends", 60)
    assert set(told.leases()) == {parent}
    return worker, child


def test_a_checkpoint_that_is_no_place_in_its_shard(story: Stories) -> None:
    """A position that the stream refuses for good ends the daemon, with what to type."""
    told = story(lineages=1, preload=100, keys=50)
    _replicate_and_stop(told)
    (key,) = told.leases()
    told.set_checkpoint(key, "1" + "0" * 21)
    worker = told.start()
    assert worker.wait(90) == 2
    assert f"shard {key} cannot be read after 1{'0' * 21}" in worker.log()
    assert f"kcl-processor leases reset {told.name} --shard {key}" in worker.log()


@pytest.mark.parametrize(
    ("on_gap", "code"), [("stop", 9), pytest.param("continue", 1, marks=pytest.mark.drill)]
)
def test_a_running_daemon_whose_stream_is_made_anew(story: Stories, on_gap: str, code: int) -> None:
    """It reads the old stream to its end, says so and ends; the next start follows the new one."""
    told = story({"on_gap": on_gap}, lineages=2, preload=100, keys=50)
    worker = told.started()
    told.simulator.control(write=50)
    told.simulator.control(turn_off=None)
    told.simulator.control(write=50)
    told.simulator.control(recreate=True)
    assert worker.wait(60) == code
    assert "was turned off" in worker.log() and "--repair" in worker.log()
    assert {row["checkpoint"] for row in told.leases().values()} == {"SHARD_END"}
    missing = told.simulator.status()["behind"]
    assert 0 < missing <= 50
    if on_gap == "continue":
        told.simulator.control(write=20)
        told.started()
        (noted,) = _noted(told)
        assert noted["shard"] is None and "turned off" in noted["reason"]


@pytest.mark.drill
def test_a_stream_that_is_made_anew_while_nobody_reads(story: Stories) -> None:
    """A start reads first what is left of the old stream, and the next one follows the new."""
    told = story({"on_gap": "continue"}, lineages=1, preload=100, keys=50)
    _replicate_and_stop(told)
    told.simulator.control(write=50)
    told.simulator.control(recreate=True)
    worker = told.start()
    assert worker.wait(60) == 1
    assert "is read first" in worker.log() and told.simulator.status()["behind"] == 0
    told.simulator.control(write=50)
    told.started()
    told.caught_up(30)
    (noted,) = _noted(told)
    assert noted["shard"] is None


@pytest.mark.drill
def test_a_destination_that_is_away_for_longer_than_the_stream_keeps(
    story: Stories,
) -> None:
    """The shard's lease stays until its gap is told, though the shard has left the stream; and its
    child's gap is told as well."""
    told = story({"on_gap": "continue"}, lineages=1, preload=100, keys=50, stream_age=90_000.0)
    worker = told.started()
    until(lambda: told.simulator.status()["behind"] == 0, "the first changes arrive")
    told.simulator.faults(
        destination=[{"kind": "InternalServerError", "operation": "BatchWriteItem"}]
    )
    told.simulator.control(write=10_000)
    (parent,) = told.leases()
    until(_stands_still(lambda: _records_read(told)), "it reads ahead no further")
    (child,) = told.simulator.control(rollover=0)["rollover"]
    told.simulator.control(write=200)
    told.simulator.control(trim={"seconds": -1, "expire": True})
    told.simulator.control(write=50)
    # The leader looks for leases to delete a minute after its start, and every two from then on.
    heard = (f"{parent} has left the stream", f"{child} starts")
    until(lambda: any(words in worker.log() for words in heard), "the leader looks", 240)
    told.simulator.faults(destination=[])
    until(lambda: told.leases()[child]["checkpoint"].isdigit(), "the child is read", 120)
    # Of the child, too, changes had left before it had a lease.
    assert {noted["shard"] for noted in _noted(told)} == {parent, child} and worker.running()
    # The leader may have been here again: a lease that is at its end goes with its shard.
    assert told.leases().get(parent, {"checkpoint": "SHARD_END"})["checkpoint"] == "SHARD_END"


@pytest.mark.drill
def test_a_stream_that_was_turned_off_and_on(story: Stories) -> None:
    """A new stream under old checkpoints is refused at start; with on_gap: continue it is read."""
    told = story(lineages=1, preload=100, keys=50)
    _replicate_and_stop(told)
    told.simulator.control(write=50)
    told.simulator.control(recreate=False)
    told.simulator.control(write=50)
    worker = told.start()
    assert worker.wait(30) == 9
    assert "was turned off and on again" in worker.log() and "--repair" in worker.log()
    told.configure(on_gap="continue")
    told.started()
    (noted,) = _noted(told)
    assert noted["shard"] is None and "turned off and on" in noted["reason"]
    assert noted["to"], "no missing change is younger than the new stream"


def _kill_before_a_checkpoint(told: Story) -> str:
    """Start a daemon that reads and cannot write, kill it, and give its log."""
    away = {"kind": "InternalServerError", "operation": "BatchWriteItem"}
    told.simulator.faults(destination=[away])
    worker = told.start()
    until(lambda: told.writes() > 0 or not worker.running(), "it tries to write", 60)
    worker.kill()
    assert {row["checkpoint"] for row in told.leases().values()} == {"TRIM_HORIZON"}
    told.simulator.faults(destination=[])
    return worker.log()


def _records_read(told: Story) -> int:
    return int(told.simulator.status()["source"]["calls"]["records"])


def _stands_still(count: Callable[[], int], seconds: float = 3.0) -> Callable[[], bool]:
    """A condition: a count has not changed for some seconds."""
    seen, since = count(), time.monotonic()

    def still() -> bool:
        nonlocal seen, since
        if seen != (now := count()):
            seen, since = now, time.monotonic()
        return time.monotonic() - since > seconds

    return still


def _replicate_and_stop(told: Story) -> None:
    worker = told.started()
    told.caught_up()
    assert worker.stop() == 0


def _write_and_trim(told: Story) -> None:
    told.simulator.control(write=50)
    told.simulator.control(trim={"seconds": -1})


def _noted(told: Story) -> list[dict[str, str]]:
    path = told.commands.state / f"{told.name}.gaps.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]
