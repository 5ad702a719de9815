"""Leases and stream shards joined: what each shard is doing, and who descends from whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kcl_processor.fleet.coordinator import Life
from kcl_processor.fleet.leases import Lease
from kcl_processor.fleet.stream import RETENTION, Look, StreamShard
from kcl_processor.state.heartbeat import Heartbeat

WAITING = "waiting"
ACTIVE = "active"
OWNED = "owned"
STOPPED = "stopped"
DYING = "dying"
DEAD = "dead"
ORPHAN = "orphan"
HANDED_OVER = "handed-over"
ENDED = "ended"
UNLEASED = "unleased"
GAP = "gap"
# A daemon checkpoints every few seconds, and a heartbeat is as old: what is younger than this many
# seconds may well be applied already.
JUST_NOW = 15.0
# What is said of a shard that has one.
LOST = "lost changes to the stream's trimming"

# What each state means, for help texts. A shard is in the first of these that fits.
STATES = {
    ENDED: "read to its end",
    GAP: "what comes after its checkpoint, or its beginning, left the stream",
    WAITING: "its parent is not read to the end",
    UNLEASED: "in the stream, and KCL has made no lease yet",
    HANDED_OVER: "let go by its last owner: a stop in a fleet, a reset",
    ORPHAN: "ready to be read, and nobody has owned it",
    STOPPED: "in the name of a worker that was stopped as asked",
    DYING: "its lease counter stands still, for less than a failover",
    DEAD: "its lease counter stands still, for longer: dead, or cut off",
    OWNED: "owned, and its lease counter was not watched for long enough",
    ACTIVE: "owned, and its lease is renewed",
}
_OF_OWNER = {
    Life.ALIVE: ACTIVE,
    Life.UNWATCHED: OWNED,
    Life.STOPPED: STOPPED,
    Life.DYING: DYING,
    Life.DEAD: DEAD,
}
# What is drawn before a shard's name for itself, and before those below it, for each generation.
_FORK, _LAST = "├─ ", "└─ "
_BESIDE = {"": "", _FORK: "│  ", _LAST: "   "}


@dataclass(frozen=True)
class ShardView:
    """One shard, as an operator sees it. Durations are seconds, unknown ones ``None``.

    Attributes:
        moving: whether the lease's counter moves; ``None`` when there was no time to tell.
        lag: age of the oldest change behind the checkpoint; ``None`` when all is read.
        age: age of the change at the checkpoint.
        trims_in: time until the stream drops the oldest change behind the checkpoint.
    """

    shard: str
    state: str
    owner: str | None
    checkpoint: str | None
    moving: bool | None
    owner_switches: int | None
    lag: float | None
    age: float | None
    trims_in: float | None
    parents: tuple[str, ...]
    children: tuple[str, ...]
    open: bool


def unfinished(leases: Iterable[Lease]) -> list[Lease]:
    """Each lease whose next change is due: not ended, not waiting.

    A waiting shard holds nothing older than its parent does, so nobody needs to look into it.
    """
    leases = list(leases)
    ended = {lease.shard: lease.ended for lease in leases}
    return [lease for lease in leases if not lease.ended and not _waits(lease.parents, ended)]


def unleased(leases: Iterable[Lease], shards: Iterable[StreamShard]) -> list[StreamShard]:
    """The shards that are to be read and have no lease yet, as ``UNLEASED`` has it."""
    by_shard, listed = {lease.shard: lease for lease in leases}, {one.id: one for one in shards}
    family = _Family(by_shard, listed)
    names = (name for name in listed if name not in by_shard and not family.waits(name))
    return [listed[name] for name in names if not family.was_cleaned_up(name)]


def cleaned_up(leases: Iterable[Lease], shards: Iterable[StreamShard]) -> set[str]:
    """The shards that were read to their end, and whose lease KCL has removed since."""
    by_shard, listed = {lease.shard: lease for lease in leases}, {one.id: one for one in shards}
    family = _Family(by_shard, listed)
    return {name for name in listed if name not in by_shard and family.was_cleaned_up(name)}


def read_here(lease: Lease, beat: Heartbeat | None, now: float) -> Look | None:
    """What lies behind a checkpoint, if a record processor of this host has just read all of it.

    It applied what came after the checkpoint, which follows within seconds; nothing of that is
    late, and nothing lost. The stream has to be asked about every other shard.
    """
    if beat is None or beat.worker != lease.owner:
        return None
    ages = (
        None if beat.polled_at is None else now - beat.polled_at,
        None if beat.behind_ms is None else beat.behind_ms / 1000,
        beat.unrecorded,
    )
    if beat.created_ms is None or not all(age is not None and age < JUST_NOW for age in ages):
        return None
    return Look(applied_at=beat.created_ms / 1000)


def all_followed(leases: Iterable[Lease]) -> str | None:
    """The youngest shard of which nothing needs to be asked, and of none that is older.

    Each of them is read to its end, and each of its children has a lease, so the stream knows no
    more of them than the leases do.
    """
    rows = sorted(leases, key=lambda lease: lease.shard)
    leased = {row.shard for row in rows}
    youngest = None
    for row in rows:
        if not row.ended or not row.children or not leased.issuperset(row.children):
            break
        youngest = row.shard
    return youngest


def parents_of(leases: Iterable[Lease], listed: Iterable[StreamShard]) -> dict[str, set[str]]:
    """Shard to its parents, by the leases and by the stream; each may lack a part."""
    parents = {lease.shard: set(lease.parents) for lease in leases}
    for shard in listed:
        if shard.parent:
            parents.setdefault(shard.id, set()).add(shard.parent)
    return parents


def descendants(shards: Iterable[str], parents: Mapping[str, set[str]]) -> set[str]:
    """What comes from some shards, by :func:`parents_of`."""
    found: set[str] = set()
    generation = set(shards)
    while generation:
        generation = {name for name, above in parents.items() if above & generation} - found
        found |= generation
    return found


def join(
    leases: Sequence[Lease],
    shards: Sequence[StreamShard],
    looks: Mapping[str, Look],
    life: Callable[[Lease], Life],
    now: float,
) -> list[ShardView]:
    """Every shard that has a lease or is in the stream, parents before children.

    Args:
        life: what the owner of a lease is.
    """
    by_shard = {lease.shard: lease for lease in leases}
    listed = {shard.id: shard for shard in shards}
    family = _Family(by_shard, listed)
    views = [
        _view(
            name,
            by_shard.get(name),
            listed.get(name),
            family,
            looks.get(name, Look()),
            life,
            now,
        )
        for name in by_shard.keys() | listed.keys()
    ]
    # A shard id of DynamoDB Streams begins with its time of creation.
    return sorted(views, key=lambda view: view.shard)


def depth(branch: str) -> int:
    """How many generations are above a shard, by the branch that :func:`tree` draws."""
    return len(branch) // len(_LAST)


def tree(views: Sequence[ShardView]) -> Iterator[tuple[str, ShardView]]:
    """Each shard with the branch drawn before its name, children below their parents.

    A shard merged from two parents stands below the first of them.
    """
    by_name = {view.shard: view for view in views}
    below: dict[str | None, list[ShardView]] = {}
    for view in views:
        parent = next((name for name in view.parents if name in by_name), None)
        below.setdefault(parent, []).append(view)

    def draw(view: ShardView, lead: str, branch: str) -> Iterator[tuple[str, ShardView]]:
        yield lead + branch, view
        lead += _BESIDE[branch]
        children = below.get(view.shard, [])
        for child in children:
            yield from draw(child, lead, _LAST if child is children[-1] else _FORK)

    for root in below.get(None, []):
        yield from draw(root, "", "")


class _Family:
    """Who descends from whom, and who is read to its end."""

    def __init__(self, leases: Mapping[str, Lease], listed: Mapping[str, StreamShard]) -> None:
        self.ended = {name: lease.ended for name, lease in leases.items()}
        self._parents = parents_of(leases.values(), listed.values())
        self._children: dict[str, set[str]] = {}
        for name, parents in self._parents.items():
            for parent in parents:
                self._children.setdefault(parent, set()).add(name)

    def parents(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(self._parents.get(name, ())))

    def children(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(self._children.get(name, ())))

    def waits(self, name: str) -> bool:
        return any(
            self.ended.get(parent) is False or (parent not in self.ended and self.waits(parent))
            for parent in self.parents(name)
        )

    def was_cleaned_up(self, name: str) -> bool:
        """KCL removes the lease of an ended shard once its children are under way."""
        return any(
            child in self.ended or self.was_cleaned_up(child) for child in self.children(name)
        )


def _view(
    name: str,
    lease: Lease | None,
    shard: StreamShard | None,
    family: _Family,
    look: Look,
    life: Callable[[Lease], Life],
    now: float,
) -> ShardView:
    owner = life(lease) if lease and lease.owner and not lease.ended else None
    lag = None if look.unread_at is None else max(0.0, now - look.unread_at)
    return ShardView(
        shard=name,
        state=_state(name, lease, family, look, owner),
        owner=lease.owner if lease else None,
        checkpoint=lease.checkpoint if lease else None,
        moving=None if owner in (None, Life.UNWATCHED) else owner is Life.ALIVE,
        owner_switches=lease.switches if lease else None,
        lag=lag,
        age=None if look.applied_at is None else max(0.0, now - look.applied_at),
        trims_in=None if lag is None else max(0.0, RETENTION - lag),
        parents=family.parents(name),
        children=family.children(name),
        open=shard is not None and shard.open,
    )


def _state(name: str, lease: Lease | None, family: _Family, look: Look, owner: Life | None) -> str:
    if lease is None:
        if family.waits(name):
            return WAITING
        return ENDED if family.was_cleaned_up(name) else UNLEASED
    if lease.ended:
        return ENDED
    if look.trimmed:
        return GAP
    if _waits(lease.parents, family.ended):
        return WAITING
    if owner is not None:
        return _OF_OWNER[owner]
    # Only a worker that owns the lease makes its counter grow, or a reset.
    return HANDED_OVER if lease.counter else ORPHAN


def _waits(parents: Iterable[str], ended: Mapping[str, bool]) -> bool:
    return any(ended.get(parent) is False for parent in parents)
