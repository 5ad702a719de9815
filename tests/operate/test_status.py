"""A task in one line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcl_processor.fleet.limit import Limit
from kcl_processor.fleet.pause import Pause
from kcl_processor.fleet.throttle import Throttled
from kcl_processor.launch.copy_mark import CopyState
from kcl_processor.launch.live_mark import LiveMark
from kcl_processor.launch.proof import Standing
from kcl_processor.launch.switch_mark import SwitchMark, SwitchState
from kcl_processor.operate.status import CRITICAL, OK, WARN, Switching, catch_up, summarise
from tests.sights import HOUR, beat, sight, view


@pytest.mark.parametrize(
    ("hours", "severity"), [(0.0, OK), (5.9, OK), (6.1, WARN), (17.9, WARN), (18.1, CRITICAL)]
)
def test_severity_follows_the_share_of_the_streams_day(hours: float, severity: str) -> None:
    """A quarter of 24 hours warns, three quarters are critical."""
    assert summarise(sight(view(lag=hours * HOUR))).severity == severity


def test_the_slowest_shard_is_the_tasks_lag() -> None:
    """And what it has left is the task's time."""
    status = summarise(sight(view(lag=10.0), view("b", lag=60.0), view("c", "ended")))
    assert (status.lag, status.trims_in, status.shards) == (60, 24 * HOUR - 60, 2)


def test_lost_changes_are_critical_and_idle_shards_a_warning() -> None:
    """What the stream no longer holds is worse than what nobody reads yet."""
    assert summarise(sight(view(state="gap"))).severity == CRITICAL
    for state in ("orphan", "handed-over", "dying", "dead", "stopped", "unleased"):
        assert summarise(sight(view(state=state))).severity == WARN
    assert summarise(sight(view(), dead_letters=3)).reasons == (
        "3 dead letters noted on this host",
    )


def test_a_live_copy_is_told_and_one_that_was_cut_off_is_a_warning() -> None:
    """With what goes on with it."""
    now = sight().now
    mark = LiveMark("t", CopyState.BEGUN, "host-1", now - HOUR, now - 3, 1, 32, "", to_empty=True)
    working = summarise(sight(view(), copying=mark))
    assert working.severity == OK and "from host-1, was 3 s ago" in working.reasons[0]
    cut_off = summarise(sight(view(), copying=replace(mark, beat_at=now - 60)))
    assert cut_off.severity == WARN
    assert [reason for reason in cut_off.reasons if "copy --live orders" in reason]


def test_rates_are_known_only_where_every_shard_is_read_here() -> None:
    """Half of a sum would be a wrong sum."""
    both = {name: beat(name, rate_in=10.0, rate_out=20.0) for name in ("a", "b")}
    views = [view("a", lag=100.0), view("b")]
    whole = summarise(sight(*views, heartbeats=both))
    assert (whole.rate_in, whole.rate_out, whole.catch_up) == (20, 40, 100)
    half = summarise(sight(*views, heartbeats={"a": both["a"]}))
    assert (half.rate_in, half.rate_out, half.catch_up) == (None, None, None)


@pytest.mark.parametrize(
    ("lag", "rate_in", "rate_out", "seconds"),
    [
        (5, 10, 10, 0),
        (100, 10, 10, None),
        (100, 10, 5, None),
        (100, None, 5, None),
        (90, 10, 40, 30),
        (90, 100, 101, None),
    ],
)
def test_time_to_catch_up(
    lag: float, rate_in: float | None, rate_out: float, seconds: float | None
) -> None:
    """What waits, divided by what it shrinks by; nothing when it does not shrink."""
    assert catch_up(lag, rate_in, rate_out) == seconds


@pytest.mark.parametrize(
    ("left", "state"),
    [
        (["stopped"], "stopped"),
        (["handed-over"], "stopped"),
        (["ended"], "stopped"),
        (["stopped", "dying"], "dying"),
        (["dying", "dead", "stopped"], "dead"),
    ],
)
def test_a_task_without_a_worker_ended_as_its_shards_say(left: list[str], state: str) -> None:
    """One that was stopped is not one whose worker died."""
    assert summarise(sight(*(view(name, name) for name in left), live=[])).state == state


def test_a_task_that_never_ran_is_new_and_one_that_was_stopped_is_no_warning() -> None:
    """Its shards wait in its name, which is as it was asked."""
    assert summarise(sight(found=False, live=[])).state == "new"
    assert summarise(sight(view(state="stopped"), live=[])).severity == OK


def test_nobody_catches_up_where_nobody_reads() -> None:
    """The oldest change's clock runs all the same."""
    waiting = summarise(sight(view(state="unleased", lag=7.0), found=False, live=[]))
    assert (waiting.lag, waiting.catch_up, waiting.trims_in) == (7.0, None, 24 * 3600 - 7.0)
    assert summarise(sight(view(state="unleased"), found=False, live=[])).catch_up == 0


def test_what_is_limited_runs_and_says_who_limited_it() -> None:
    """And how many shards wait; that is as it was asked, and nothing is wrong."""
    limited = summarise(sight(view(), limit=Limit(50.0, "root@a", 0.0, waiting=1)))
    assert (limited.state, limited.severity, limited.limit) == ("running", OK, 50.0)
    words = "limited to 50 WCU/s by root@a since 1970-01-01T00:00:00Z; 1 shard waits for it"
    assert limited.reasons == (words,)


def test_what_is_throttled_runs_and_says_by_what() -> None:
    """On which workers, if not on all: each looks for itself."""
    both = {"live": ["worker-1", "worker-2"]}
    ones = [Throttled("worker-2", "the alarm hot", 60.0), Throttled("worker-1", "the alarm hot", 0)]
    throttled = summarise(sight(view(), throttled=ones, **both))
    assert (throttled.state, throttled.severity, throttled.throttled) == ("running", OK, 2)
    words = "throttled by the alarm hot since 1970-01-01T00:00:00Z"
    assert throttled.reasons == (words,)
    assert summarise(sight(view(), throttled=ones[1:], **both)).reasons == (
        f"{words}, on worker-1",
    )
    assert summarise(sight(view(lag=7 * 3600.0), throttled=ones, **both)).severity == WARN


def test_what_is_paused_runs_and_says_who_paused_it() -> None:
    """A shard's pause is no state of the task."""
    whole, one = Pause(None, "root@a", 0.0), Pause("shardId-1", "ops@b", 0.0)
    paused = summarise(sight(view(), pauses=[whole, one]))
    assert paused.state == "paused" and paused.severity == OK
    assert paused.reasons == (
        "paused by root@a since 1970-01-01T00:00:00Z",
        "shard shardId-1 is paused by ops@b since 1970-01-01T00:00:00Z",
    )
    assert summarise(sight(view(), pauses=[one])).state == "running"
    assert summarise(sight(view(state="dead"), pauses=[whole], live=[])).state == "dead"


def test_a_proof_tells_its_age_and_what_is_open() -> None:
    """Keys that differ are a warning; a proof that counts no more has no figures."""
    now = sight().now
    status = summarise(sight(view(), proof=Standing(8, now - 70)))
    assert (status.proven, status.differences, status.severity) == (70, 0, OK)
    status = summarise(sight(view(), proof=Standing(8, None, differences=2, unsure=1)))
    assert (status.proven, status.differences, status.severity) == (None, 2, WARN)
    assert status.reasons == (
        "2 keys differ, as verify has found",
        "1 key could not be compared, as verify has found",
    )
    status = summarise(sight(view(), proof=Standing(8, None, void="the rules are others")))
    assert (status.proven, status.differences, status.severity) == (None, None, WARN)
    assert status.reasons == ("no proof counts: the rules are others",)
    status = summarise(sight(view()))
    assert (status.proven, status.differences, status.severity) == (None, None, OK)


def test_a_switchover_is_told_until_it_is_taken_back() -> None:
    """An open one is a warning, and one that is over is as it was asked."""
    now = sight().now
    begun = replace(SwitchMark.begun("t", now - 70), host="host-1", sid="Sid1")
    status = summarise(sight(view(), switching=begun))
    assert status.severity == WARN and status.switchover == Switching(
        "begun", "host-1", 70, writes_denied=True, silent=False
    )
    (words,) = status.reasons
    assert words.startswith("a switchover, begun on host-1 at ") and "denied by statement" in words
    silent = summarise(sight(view(), switching=replace(begun, beat_at=now - 7200)))
    assert "Try: kcl-processor switchover orders" in silent.reasons[1]
    over = summarise(sight(view(), switching=replace(begun, state=SwitchState.OVER)))
    assert over.severity == OK and over.reasons[0].startswith("switched over (begun on host-1")
    assert summarise(sight(view())).switchover is None
