"""What throttles a worker holds everything back while it holds, and then nothing is missing."""

from __future__ import annotations

import json
import shlex
import time

import psutil
import pytest

from integration import other_stores
from integration.clients import client
from integration.story import Stories, Story, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story

# Seconds between two looks, and for the longest of them (``Throttle.java``).
LOOKS, LONGEST = 10, 10


def test_nothing_arrives_while_a_command_says_so(story: Stories) -> None:
    """From the first look on, before the first record; it goes on by itself."""
    told = story(lineages=2, preload=40, keys=40, rate=40.0)
    hold = told.folder / "hold"
    hold.touch()
    told.configure(throttle_when={"command": f"test -e {shlex.quote(str(hold))}"})
    worker = told.start()
    until(lambda: worker.log().count("starts at") == 2, "both shards are read", 60)
    # A worker's row says so with its next beat.
    by = "throttled by the command of throttle_when since 20"
    until(lambda: by in str(told.status()["reasons"]), "it is seen")
    assert worker.log().count("Throttled by the command") == 1
    assert told.simulator.status()["behind"] > 0 and told.writes() == 0
    hold.unlink()
    assert_replicated(told.simulator.settle(LOOKS + 10))


@pytest.mark.drill
def test_a_fleet_is_throttled_and_a_look_that_hangs_stops_nothing(
    story: Stories, tell: Tell
) -> None:
    """It is held back again and again, with a kill in it; a stop waits for no look."""
    told = story(lineages=3, preload=100, keys=100, rate=60.0)
    hold, hang = told.folder / "hold", told.folder / "hang"
    command = f"test -e {hold} && exit 0; test -e {hang} && sleep 600; exit 1"
    told.configure(throttle_when={"command": command})
    killed, other = told.started("worker-1"), told.started("worker-2")
    for end in (None, killed.kill):
        hold.touch()
        until(lambda: _is_still(told), "nothing is written any more", 3 * LOOKS)
        if end:
            end()
        else:
            healthy = json.loads(told.run("health", "--max-lag", "0", "--json").stdout)
            assert healthy["healthy"] and len(healthy["throttled"]) == 1, healthy
        hold.unlink()
        until(told.more_writes(5), "it goes on", 60)
    hang.touch()
    until(lambda: "it took longer than" in other.log(), "the look is late", LOOKS + 2 * LONGEST)
    until(told.more_writes(5), "it goes on", 30)
    until(lambda: _sleeps(), "it looks again", LOOKS + 2 * LONGEST)
    began = time.monotonic()
    assert other.stop() == 0, other.log()
    assert time.monotonic() - began < 9
    until(lambda: not _sleeps(), "nothing of the look is left", 5)
    hang.unlink()
    told.started("worker-1")
    verdict = told.simulator.settle(90)
    assert_replicated(verdict)
    events = json.loads(told.run("events", "--json").stdout)
    assert {"throttled", "unthrottled"} <= {event["what"] for event in events}
    tell("a fleet throttled by a command, and one that hangs", told, verdict, 1)


@pytest.mark.drill
def test_an_alarm_throttles_by_its_state(story: Stories, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is deleted throttles nothing."""
    with other_stores.moto() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", url)
        told = story(lineages=2, preload=40, keys=40, rate=40.0)
        region = told.simulator.ready["region"]
        cloudwatch = client("cloudwatch", url, region)
        alarm = {
            "AlarmName": "hot",
            "MetricName": "WriteThrottleEvents",
            "Namespace": "AWS/DynamoDB",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "Statistic": "Sum",
            "ComparisonOperator": "GreaterThanThreshold",
        }
        cloudwatch.put_metric_alarm(**alarm)

        def state(value: str) -> None:
            cloudwatch.set_alarm_state(AlarmName="hot", StateValue=value, StateReason="a drill")

        state("ALARM")
        told.configure(throttle_when={"alarm": "hot"})
        worker = told.start()
        until(lambda: worker.log().count("starts at") == 2, "both shards are read", 60)
        by = f"throttled by the alarm hot in {region}"
        until(lambda: by in str(told.status()["reasons"]), "it is seen")
        assert told.writes() == 0
        state("OK")
        until(told.more_writes(5), "it goes on", 2 * LOOKS)
        state("ALARM")
        until(lambda: _is_still(told), "nothing is written any more", 3 * LOOKS)
        cloudwatch.delete_alarms(AlarmNames=["hot"])
        until(told.more_writes(5), "it goes on", 2 * LOOKS)
        assert "there is none of that name" in worker.log()
        assert_replicated(told.simulator.settle(60))


def _is_still(told: Story) -> bool:
    """Whether nothing was written while changes were made."""
    before = told.writes()
    until(told.more_changes(120), "changes are made")
    return told.writes() == before


def _sleeps() -> bool:
    return any(one.info["cmdline"] == ["sleep", "600"] for one in psutil.process_iter(["cmdline"]))
