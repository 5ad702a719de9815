"""A task in one line, and as a probe sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kcl_processor.cli.status import exit_code, lines
from kcl_processor.operate.health import local_problems, problems
from kcl_processor.operate.lineage import ShardView
from kcl_processor.operate.observe import Sight
from kcl_processor.operate.status import CRITICAL, OK, UNKNOWN, WARN, Status, catch_up, summarise
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.state.heartbeat import Heartbeat
from tests.fakes import HandClock
from tests.kcl_tables import GOLDEN

CLOCK = HandClock()
HOUR = 3600.0


def view(
    shard: str = "shardId-1",
    state: str = "active",
    lag: float | None = None,
    owner: str = "worker-1",
) -> ShardView:
    left = None if lag is None else 24 * HOUR - lag
    return ShardView(
        shard,
        state,
        owner,
        checkpoint="17",
        moving=True,
        owner_switches=0,
        lag=lag,
        age=1.0,
        trims_in=left,
        parents=(),
        children=(),
        open=True,
    )


def sight(*views: ShardView, **options: Any) -> Sight:
    seen = Sight(
        task="orders",
        found=True,
        shards=list(views),
        live=["worker-1"],
        dead=[],
        leader=None,
        heartbeats={},
        dead_letters=0,
        gaps=0,
        now=CLOCK.now(),
    )
    return replace(seen, **options)


def beat(shard: str, **options: Any) -> Heartbeat:
    return replace(ShardFigures("orders", shard, "w", CLOCK).heartbeat(), **options)


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
    for state in ("orphan", "stale", "unleased"):
        assert summarise(sight(view(state=state))).severity == WARN
    assert summarise(sight(view(), dead_letters=3)).reasons == (
        "3 dead letters noted on this host",
    )


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
    ],
)
def test_time_to_catch_up(
    lag: float, rate_in: float | None, rate_out: float, seconds: float | None
) -> None:
    """What waits, divided by what it shrinks by; nothing when it does not shrink."""
    assert catch_up(lag, rate_in, rate_out) == seconds


def test_a_task_that_never_ran_is_new_and_one_that_ended_stopped() -> None:
    """Neither has a worker that lives."""
    assert summarise(sight(found=False, live=[])).state == "new"
    assert summarise(sight(view(), live=[])).state == "stopped"


def test_exit_codes_tell_the_worst() -> None:
    """Critical before stopped before unknown."""
    running, stopped = summarise(sight(view())), summarise(sight(live=[]))
    critical, unknown = summarise(sight(view(state="gap"))), Status("x", UNKNOWN, WARN)
    assert exit_code([running]) == 0
    assert exit_code([running, unknown]) == 4
    assert exit_code([unknown, stopped]) == 3
    assert exit_code([stopped, critical]) == 1


def test_the_table_looks_as_kept() -> None:
    """A golden file of a good task, a late one and an unknown one; colours only when asked."""
    heartbeats = {"shardId-1": beat("shardId-1", rate_in=30.7, rate_out=31.6)}
    seen = [
        summarise(sight(view(lag=4.0), heartbeats=heartbeats)),
        replace(summarise(sight(view(lag=7 * HOUR), view("b", "stale"))), task="late"),
        Status("lost", UNKNOWN, WARN, reasons=("The table cannot be read. Try: again",)),
    ]
    assert "\n".join(lines(seen, colours=False)) + "\n" == (GOLDEN / "status.txt").read_text()
    coloured = lines(seen, colours=True)
    assert "\x1b" not in coloured[1] and coloured[2].startswith("\x1b[33m")


def test_health_names_what_does_not_move() -> None:
    """Each state that is no progress, too much lag, and no delivery for too long."""
    assert problems(sight(view(lag=5.0)), 900, 120) == []
    states = ("orphan", "unleased", "stale", "gap")
    found = problems(sight(*(view(state, state) for state in states)), 900, 120)
    assert len(found) == 4
    assert "behind by more than 900 s" in problems(sight(view(lag=901.0)), 900, 120)[0]
    assert problems(sight(view(), live=[]), 900, 120) == ["no worker gives a sign of life"]


def test_local_health_is_the_daemon_and_its_deliveries() -> None:
    """A worker without shards is healthy; one whose shard hangs is not."""
    assert local_problems(running=True, heartbeats={}, max_idle=120, now=CLOCK.now()) == []
    assert (
        "not running"
        in local_problems(running=False, heartbeats={}, max_idle=120, now=CLOCK.now())[0]
    )
    idle = {"a": beat("a", polled_at=CLOCK.now() - 121)}
    assert (
        "applied no delivery"
        in local_problems(running=True, heartbeats=idle, max_idle=120, now=CLOCK.now())[0]
    )
    # One that has not polled yet has as long as any other.
    starting = {"a": beat("a", polled_at=None, started_at=CLOCK.now() - 60)}
    assert local_problems(running=True, heartbeats=starting, max_idle=120, now=CLOCK.now()) == []
