"""A task in one line: does it run, how far behind is it, and how long has it got."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from kcl_processor.fleet.pause import by_whom
from kcl_processor.fleet.stream import HOUR, RETENTION
from kcl_processor.fleet.throttle import Throttled
from kcl_processor.launch.proof import Standing
from kcl_processor.launch.switch_mark import SwitchState
from kcl_processor.operate.endings import words, worth_telling
from kcl_processor.operate.lineage import (
    ACTIVE,
    DEAD,
    DYING,
    ENDED,
    GAP,
    HANDED_OVER,
    JUST_NOW,
    LOST,
    ORPHAN,
    OWNED,
    STOPPED,
    UNLEASED,
)
from kcl_processor.operate.observe import Sight
from kcl_processor.state.ending import Ending
from kcl_processor.state.heartbeat import Heartbeat
from kcl_processor.words import many

# Shares of the stream's 24 hours that the oldest unread change may have used up.
WARN_SHARE = 0.25
CRITICAL_SHARE = 0.75

# Rates over a minute that differ by less say nothing of what shrinks.
_NOISE = 1.05

RUNNING = "running"
PAUSED = "paused"
NEW = "new"
UNKNOWN = "unknown"

OK, WARN, CRITICAL = "ok", "warn", "critical"


@dataclass(frozen=True)
class Switching:
    """A switchover that was not taken back.

    Attributes:
        state: ``begun``, ``back`` (what it changed is being taken back) or ``over``.
        host, since: where it was begun, or gone on with last; and seconds since it began.
        writes_denied: whether a policy of ours denies writes at the source.
        silent: whether its command gave no sign of life for long, and it is not over.
    """

    state: str
    host: str
    since: float
    writes_denied: bool
    silent: bool

    @classmethod
    def seen(cls, sight: Sight) -> Self | None:
        """That of a task, if there is one."""
        mark, now = sight.switching, sight.now
        if mark is None:
            return None
        since, denied = max(0.0, now - mark.started_at), bool(mark.sid)
        return cls(mark.state.value, mark.host, since, denied, mark.is_silent(now))


@dataclass(frozen=True)
class Status:
    """One task. Durations are seconds, rates changes a second; unknown ones are ``None``.

    Attributes:
        state: ``running``, ``paused`` (all of it, and running), ``stopped``, ``dying``, ``dead``,
            ``new`` (never started) or ``unknown``.
        severity: ``ok``, ``warn`` or ``critical``.
        shards: shards that are not read to their end.
        lag: age of the oldest change that is not checkpointed; 0 when all is read.
        trims_in: time until the stream drops that change.
        rate_in, rate_out: changes that the source makes, and that are applied; known where
            every shard is read on this host.
        catch_up: time until ``lag`` is gone at these rates.
        dead_letters, gaps: noted on this host.
        endings: how workers of this host ended that do not run, the last one first.
        reasons: what is wrong, in words.
        limit: WCU a second that it is limited to.
        throttled: workers that let nothing out, by ``throttle_when``.
        proven: age of the oldest proof over all parts of the tables, as ``verify`` made them.
        differences: keys that were found to differ, and not to be equal since.
        switchover: one that was not taken back; ``None`` for none.
    """

    task: str
    state: str
    severity: str
    workers: int | None = None
    shards: int | None = None
    lag: float | None = None
    trims_in: float | None = None
    rate_in: float | None = None
    rate_out: float | None = None
    catch_up: float | None = None
    dead_letters: int | None = None
    gaps: int | None = None
    endings: tuple[Ending, ...] = ()
    reasons: tuple[str, ...] = ()
    proven: float | None = None
    differences: int | None = None
    switchover: Switching | None = None
    limit: float | None = None
    throttled: int = 0


def summarise(sight: Sight) -> Status:
    """A task's status from one look at it."""
    unread = [view.lag for view in sight.shards if view.lag is not None]
    lag = max(unread, default=None if sight.unseen else 0.0)
    rate_in, rate_out = _rates(sight)
    severity, reasons = severity_of(sight, lag or 0.0)
    return Status(
        task=sight.task,
        state=_state(sight),
        severity=severity,
        workers=len(sight.live),
        shards=sum(view.state != ENDED for view in sight.shards),
        lag=lag,
        trims_in=RETENTION - lag if unread and lag is not None else None,
        rate_in=rate_in,
        rate_out=rate_out,
        catch_up=catch_up(lag, rate_in, rate_out) if sight.live or lag == 0 else None,
        dead_letters=sight.dead_letters,
        gaps=sight.gaps,
        endings=tuple(sight.endings),
        reasons=(
            *reasons,
            *switching(sight),
            *pauses(sight),
            *limits(sight),
            *throttles(sight),
            *_copying(sight, at_work=True),
            *_ends(sight),
        ),
        proven=sight.proof.age(sight.now) if sight.proof else None,
        differences=sight.proof.differences if sight.proof and not sight.proof.void else None,
        switchover=Switching.seen(sight),
        limit=sight.limit.wcu if sight.limit else None,
        throttled=len(sight.throttled),
    )


def severity_of(sight: Sight, lag: float) -> tuple[str, tuple[str, ...]]:
    """How bad it is, and why."""
    share = lag / RETENTION
    used = f"{share:.0%} of the stream's {RETENTION / HOUR:.0f} h are used up"
    lost = _count(sight, GAP, LOST)
    idle = (
        *_count(sight, ORPHAN, "without an owner"),
        *_count(sight, HANDED_OVER, "handed over, and not taken up yet"),
        *(_count(sight, STOPPED, "in the name of a worker that was stopped") if sight.live else ()),
        *_count(sight, DYING, "whose owner gives no sign of life, for less than a failover"),
        *_count(sight, DEAD, "with a dead owner"),
        *_copying(sight, at_work=False),
    )
    if lost or share >= CRITICAL_SHARE:
        return CRITICAL, (*lost, *((used,) if share >= WARN_SHARE else ()), *idle)
    if share >= WARN_SHARE:
        return WARN, (used, *idle)
    blind = (f"{sight.unseen.message} Try: {sight.unseen.hint}",) if sight.unseen else ()
    noted = tuple(
        f"{many(count, what)} noted on this host"
        for count, what in ((sight.gaps, "gap"), (sight.dead_letters, "dead letter"))
        if count
    )
    noted += tuple(unproven(sight.proof)) if sight.proof else ()
    mark = sight.switching
    switched = mark is not None and mark.state is not SwitchState.OVER
    warns = blind or idle or noted or switched
    return (WARN if warns else OK), (*blind, *idle, *noted)


def unproven(proof: Standing) -> Iterator[str]:
    """What a proof says of the tables that is not well."""
    if proof.void:
        yield f"no proof counts: {proof.void}"
    for count, what in (
        (proof.differences, "differs" if proof.differences == 1 else "differ"),
        (proof.unsure, "could not be compared"),
    ):
        if count:
            yield f"{many(count, 'key')} {what}, as verify has found"


def _state(sight: Sight) -> str:
    """A task without a worker was stopped, unless it left shards in its name as one that died."""
    if sight.live:
        return PAUSED if sight.is_paused else RUNNING
    if not sight.found:
        return NEW
    left = {view.state for view in sight.shards}
    return DEAD if DEAD in left else DYING if DYING in left else STOPPED


def switching(sight: Sight) -> list[str]:
    """How far a switchover is that was not taken back, and since when."""
    return list(sight.switching.in_words(sight.task, sight.now)) if sight.switching else []


def pauses(sight: Sight) -> list[str]:
    """What is paused, by whom and since when."""
    return [f"shard {one.shard} is {one}" if one.shard else str(one) for one in sight.pauses]


def limits(sight: Sight) -> list[str]:
    """To what it is limited, by whom and since when; and whether that holds something back."""
    return [str(sight.limit)] if sight.limit else []


def throttles(sight: Sight) -> list[str]:
    """By what it is throttled and since when; and on which workers, if not on all."""
    found: dict[str, list[Throttled]] = {}
    for one in sight.throttled:
        found.setdefault(one.by, []).append(one)
    return [_throttle(by, ones, len(sight.live)) for by, ones in sorted(found.items())]


def _throttle(by: str, ones: list[Throttled], workers: int) -> str:
    names = ", ".join(one.worker for one in ones)
    on = "" if len(ones) == workers else f", on {names}"
    return f"throttled {by_whom(by, min(one.at for one in ones))}{on}"


def _copying(sight: Sight, *, at_work: bool) -> Iterator[str]:
    """A copy beside the daemon: one that was cut off is a hole until it goes on."""
    mark = sight.copying
    if mark and mark.is_at_work(sight.now) is at_work:
        yield f"{mark.in_words(sight.task, sight.now)}. It goes on by: {mark.again(sight.task)}"


def _ends(sight: Sight) -> Iterator[str]:
    running = bool(sight.live)
    return (
        words(sight.task, end) for end in worth_telling(sight.endings, sight.now, running=running)
    )


def catch_up(lag: float | None, rate_in: float | None, rate_out: float | None) -> float | None:
    """Seconds until ``lag`` is gone; 0 when there is none, ``None`` when it is not shrinking.

    The changes that wait are ``lag * rate_in``; they shrink by ``rate_out - rate_in`` a second.
    """
    if lag is None:
        return None
    if lag < JUST_NOW:
        return 0.0
    if rate_in is None or rate_out is None or rate_out <= rate_in * _NOISE:
        return None
    return lag * rate_in / (rate_out - rate_in)


def _rates(sight: Sight) -> tuple[float | None, float | None]:
    reading = [view.shard for view in sight.shards if view.state in (ACTIVE, OWNED)]
    beats: list[Heartbeat] = [
        sight.heartbeats[shard] for shard in reading if shard in sight.heartbeats
    ]
    if not reading or len(beats) < len(reading):
        return None, None
    return _sum([beat.rate_in for beat in beats]), _sum([beat.rate_out for beat in beats])


def _sum(rates: list[float | None]) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if len(known) == len(rates) else None


def _count(sight: Sight, state: str, words: str) -> tuple[str, ...]:
    states = (ORPHAN, UNLEASED) if state == ORPHAN else (state,)
    number = sum(view.state in states for view in sight.shards)
    if not number or (state == ORPHAN and not sight.found):
        return ()
    return (f"{many(number, 'shard')} {words}",)
