"""Whether a task makes progress. A process that is up proves nothing; what moves does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from kcl_processor.fleet.stream import HOUR, RETENTION
from kcl_processor.launch.switch_mark import SwitchState
from kcl_processor.operate.lineage import (
    DEAD,
    DYING,
    GAP,
    HANDED_OVER,
    LOST,
    ORPHAN,
    STOPPED,
    UNLEASED,
    ShardView,
)
from kcl_processor.operate.observe import Sight
from kcl_processor.operate.status import CRITICAL_SHARE
from kcl_processor.state.heartbeat import Heartbeat

_BLIND = "the stream cannot be looked at"
# How what is said of one shard begins.
_OF_SHARD = "shard "
_SILENT = "has an owner that does not renew its lease"
# What is found must be found twice to count, and so is called the same while it gets worse.
_WORDS = {
    ORPHAN: "has no owner",
    HANDED_OVER: "has no owner",
    UNLEASED: "has no lease",
    STOPPED: "has an owner that was stopped",
    DYING: _SILENT,
    DEAD: _SILENT,
    GAP: LOST,
}


def problems(
    sight: Sight, max_lag: float, max_idle: float, max_proof_age: float | None = None
) -> list[str]:
    """What is wrong with a task, over all its workers; nothing when it is healthy.

    Args:
        max_lag: seconds that the oldest change behind a checkpoint may be old.
        max_idle: seconds that a record processor on this host may go without a delivery applied.
        max_proof_age: seconds that the oldest proof may be old; ``None`` does not ask for one.
    """
    found = [] if sight.live else ["no worker gives a sign of life"]
    if blind := sight.unseen:
        found.append(f"{_BLIND}: {blind.message} Try: {blind.hint}")
    found += [
        f"shard {view.shard} {_WORDS[view.state]}" for view in sight.shards if view.state in _WORDS
    ]
    found += [words for view in sight.shards if (words := _late(view, sight, max_lag))]
    if max_proof_age is not None:
        found += unproven(sight, max_proof_age)
    return found + idle(sight.heartbeats.values(), max_idle, sight.now)


def found_again(first: Iterable[str], second: Iterable[str]) -> list[str]:
    """Of what is wrong by a second look, what the first one has found, too.

    Behind a colon stands why, which may be another time: of two calls that fail each has its words.
    A look that could not see the stream tells of no shard that it is well: what the other has found
    of it stands.
    """
    before, after = ({_trouble(one): one for one in found} for found in (first, second))
    again = [
        problem
        for trouble, problem in after.items()
        if trouble in before or (_BLIND in before and trouble.startswith(_OF_SHARD))
    ]
    if _BLIND in after and _BLIND not in before:
        again += [
            problem
            for trouble, problem in before.items()
            if trouble.startswith(_OF_SHARD) and trouble not in after
        ]
    return again


def _trouble(problem: str) -> str:
    return problem.partition(": ")[0]


def _late(view: ShardView, sight: Sight, max_lag: float) -> str | None:
    """A shard that is held back is late as it was asked, until its changes are about to leave."""
    lag = view.lag or 0.0
    if held := _held(view, sight):
        most = CRITICAL_SHARE * RETENTION
        used = f"{CRITICAL_SHARE:.0%} of the stream's {RETENTION / HOUR:.0f} h are used up"
        return f"shard {view.shard} is {held}, and {used}" if lag > most else None
    return f"shard {view.shard} is behind by more than {max_lag:.0f} s" if lag > max_lag else None


def forsaken(sight: Sight) -> list[str]:
    """A switchover that is open, and that nobody seems to be at any more; or one that is over, and
    whose daemon goes on.
    """
    mark = sight.switching
    if mark and mark.is_silent(sight.now):
        return [f"the switchover {mark} is open, and its command gives no sign of life"]
    if mark and mark.state is SwitchState.OVER and sight.live and not sight.is_paused:
        return [
            "the task was switched over, and its daemon runs and is not paused: "
            f"kcl-processor switchover {sight.task}"
        ]
    return []


def _held(view: ShardView, sight: Sight) -> str | None:
    """By what, if it was asked. A limit for which nobody waits holds nothing back."""
    if any(pause.shard in (None, view.shard) for pause in sight.pauses):
        return "paused"
    if any(one.worker == view.owner for one in sight.throttled):
        return "throttled"
    return "limited" if sight.limit and sight.limit.waiting else None


def unproven(sight: Sight, max_age: float) -> list[str]:
    """What the task's proof lacks.

    Args:
        max_age: seconds that the oldest proof may be old.
    """
    proof = sight.proof
    if proof is None:
        return [f"nobody has compared the tables: kcl-processor verify {sight.task}"]
    if proof.void:
        return [f"no proof counts: {proof.void}"]
    age = proof.age(sight.now)
    old = age is None or age > max_age
    words = [f"a part of the tables was not proven equal within {max_age:.0f} s"] if old else []
    return ["keys differ, as verify has found", *words] if proof.differences else words


def local_problems(
    heartbeats: Mapping[str, Heartbeat],
    max_idle: float,
    now: float,
    *,
    running: bool,
    state: Path,
    ended: Iterable[str] = (),
) -> list[str]:
    """What is wrong with this host's worker alone; nothing is asked of any service.

    Args:
        running: whether the daemon is up.
        state: the folder by whose files it is not, which may not be the daemon's.
        ended: how it ended, which is told if it is not.
    """
    silent = f"the daemon is not running on this host, by the files in {state}"
    found = [] if running else [silent, *ended]
    return found + idle(heartbeats.values(), max_idle, now)


def idle(beats: Iterable[Heartbeat], max_idle: float, now: float) -> list[str]:
    """The record processors that finished no delivery for too long.

    KCL delivers to an idle shard, too, about once a second: an empty list.
    """
    return [
        f"shard {beat.shard} applied no delivery for more than {max_idle:.0f} s"
        for beat in beats
        if now - (beat.polled_at or beat.started_at) > max_idle
    ]
