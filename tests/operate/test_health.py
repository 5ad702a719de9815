"""A probe names what does not move."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.errors import OperatorError
from kcl_processor.fleet.limit import Limit
from kcl_processor.fleet.pause import Pause
from kcl_processor.fleet.throttle import Throttled
from kcl_processor.launch.proof import Standing
from kcl_processor.launch.switch_mark import SwitchMark, SwitchState
from kcl_processor.operate.health import forsaken, found_again, local_problems, problems
from kcl_processor.operate.lineage import ShardView
from kcl_processor.state.heartbeat import Heartbeat
from tests.sights import CLOCK, HOUR, beat, sight, view


def test_health_names_what_does_not_move() -> None:
    """Each state that is no progress, too much lag, and no delivery for too long."""
    assert problems(sight(view(lag=5.0)), 900, 120) == []
    states = ("orphan", "handed-over", "unleased", "stopped", "dying", "dead", "gap")
    found = problems(sight(*(view(state, state) for state in states)), 900, 120)
    assert len(found) == len(states)
    assert "behind by more than 900 s" in problems(sight(view(lag=901.0)), 900, 120)[0]
    assert problems(sight(view(), live=[]), 900, 120) == ["no worker gives a sign of life"]


def test_local_health_is_the_daemon_and_its_deliveries() -> None:
    """A worker without shards is healthy; one whose shard hangs is not."""

    def found(*beats: Heartbeat, running: bool = True) -> list[str]:
        heartbeats = {beat.shard: beat for beat in beats}
        state = Path("/var/lib/replica")
        return local_problems(heartbeats, 120, CLOCK.now(), running=running, state=state)

    assert found() == []
    assert "not running on this host, by the files in /var/lib/replica" in found(running=False)[0]
    assert "applied no delivery" in found(beat("a", polled_at=CLOCK.now() - 121))[0]
    # One that has not polled yet has as long as any other.
    assert found(beat("a", polled_at=None, started_at=CLOCK.now() - 60)) == []


def test_a_dying_owner_is_found_again_when_it_is_dead() -> None:
    """A probe looks twice, and only what both looks found counts."""
    first, second = (problems(sight(view(state=state)), 900, 120) for state in ("dying", "dead"))
    assert first == second != []


def test_what_cannot_be_looked_at_twice_is_trouble_whatever_each_look_says() -> None:
    """Of a stream that is throttled each look may fail at another shard; and so a destination that
    does not answer leaves a proof that nobody can tell of."""

    def found(shard: str) -> list[str]:
        blind = OperatorError(f"dynamodb:GetRecords on shard {shard} failed.", "fewer readers")
        void = Standing(0, None, void=f"dynamodb:DescribeTable failed {shard}")
        return problems(sight(view(), unseen=blind, proof=void), 900, 120, 60)

    assert found_again(found("a"), found("b")) == found("b")
    assert len(found("b")) == 2 and "on shard b failed. Try: fewer readers" in found("b")[0]
    assert found_again(problems(sight(view(), live=[]), 900, 120), found("b")) == []


@pytest.mark.parametrize("of", [view(state="gap"), view(lag=901.0)], ids=["gap", "late"])
def test_a_look_that_cannot_see_the_stream_takes_no_shard_for_well(of: ShardView) -> None:
    """Where one of two looks is throttled, what the other has seen there stands."""
    blind = OperatorError("dynamodb:GetRecords on shard shardId-1 failed.", "fewer readers")
    unseen, seen = problems(sight(view(), unseen=blind), 900, 120), problems(sight(of), 900, 120)
    assert found_again(seen, unseen) == found_again(unseen, seen) == seen != []
    assert found_again([], unseen) == found_again(unseen, []) == []


@pytest.mark.parametrize("shard", [None, "shardId-1"])
def test_what_is_paused_is_late_as_it_was_asked(shard: str | None) -> None:
    """Until three quarters of the stream's day are used up; others are late as ever."""
    pauses = [Pause(shard, "root@a", 0.0)]
    assert problems(sight(view(lag=17 * HOUR), pauses=pauses), 900, 120) == []
    (critical,) = problems(sight(view(lag=19 * HOUR), pauses=pauses), 900, 120)
    assert critical == "shard shardId-1 is paused, and 75% of the stream's 24 h are used up"
    other = problems(sight(view("shardId-2", lag=901.0), pauses=pauses), 900, 120)
    assert bool(other) == (shard is not None)


def test_a_switchover_is_trouble_only_when_nobody_is_at_it() -> None:
    """Not a long one, nor one that is over; and nobody is kept from going on with it."""
    now = CLOCK.now()
    begun = replace(SwitchMark.begun("t", now - 9999), beat_at=now - 60)
    assert forsaken(sight(view())) == forsaken(sight(view(), switching=begun)) == []
    silent = sight(view(), switching=replace(begun, beat_at=now - 901))
    (words,) = forsaken(silent)
    assert words.endswith("is open, and its command gives no sign of life")
    assert problems(silent, 900, 120) == []


def test_a_task_that_is_switched_over_and_not_paused_is_trouble() -> None:
    """What time to live deletes at its source is deleted where the writers write by now."""
    over = replace(SwitchMark.begun("t", CLOCK.now() - 9999), state=SwitchState.OVER)
    whole, part = (Pause(shard, "the switchover of root@a", 0.0) for shard in (None, "shardId-1"))
    assert forsaken(sight(view(), switching=over, pauses=[whole])) == []
    assert forsaken(sight(view(), switching=over, live=[])) == [], "nothing goes out"
    (words,) = forsaken(sight(view(), switching=over, pauses=[part]))
    assert "was switched over, and its daemon runs and is not paused" in words
    assert words.endswith(": kcl-processor switchover orders")


def test_a_proof_is_asked_for_only_with_a_limit() -> None:
    """One that is old, lacks a part, counts no more, or was never made, and keys that differ."""
    now = CLOCK.now()

    def found(proof: Standing | None) -> list[str]:
        seen = sight(view(lag=5.0), proof=proof)
        assert problems(seen, 900, 120) == []
        return problems(seen, 900, 120, max_proof_age=3600)

    assert found(Standing(8, now - 3599)) == []
    old = ["a part of the tables was not proven equal within 3600 s"]
    assert found(Standing(8, now - 3601)) == found(Standing(8, None)) == old
    assert found(Standing(8, now, differences=3)) == ["keys differ, as verify has found"]
    assert found(Standing(8, None, void="the rules are others")) == [
        "no proof counts: the rules are others"
    ]
    assert found(None) == ["nobody has compared the tables: kcl-processor verify orders"]


def test_more_keys_that_differ_are_the_same_trouble() -> None:
    """A probe looks twice, and only what both looks found counts."""
    first, second = (
        problems(sight(view(), proof=Standing(8, None, differences=count)), 900, 120, 60)
        for count in (1, 2)
    )
    assert first == second != []


def test_what_is_throttled_is_late_as_it_was_asked() -> None:
    """Until its changes are about to leave, and the throttled worker's own shards alone."""
    ones = [Throttled("worker-1", "the alarm hot", 0.0)]
    assert problems(sight(view(lag=17 * HOUR), throttled=ones), 900, 120) == []
    (critical,) = problems(sight(view(lag=19 * HOUR), throttled=ones), 900, 120)
    assert critical == "shard shardId-1 is throttled, and 75% of the stream's 24 h are used up"
    late = sight(view(lag=901.0, owner="worker-2"), throttled=ones)
    assert len(problems(late, 900, 120)) == 1


def test_what_waits_for_a_limit_is_late_as_it_was_asked() -> None:
    """Until its changes are about to leave. A limit that nobody waits for excuses nothing."""
    waits, idle = (Limit(50.0, "root@a", 0.0, waiting) for waiting in (1, 0))
    assert problems(sight(view(lag=17 * HOUR), limit=waits), 900, 120) == []
    (critical,) = problems(sight(view(lag=19 * HOUR), limit=waits), 900, 120)
    assert critical == "shard shardId-1 is limited, and 75% of the stream's 24 h are used up"
    assert len(problems(sight(view(lag=901.0), limit=idle), 900, 120)) == 1
