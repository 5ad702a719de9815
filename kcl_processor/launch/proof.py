"""A proof that stands: when each part of a task's tables was last found equal, and what differs.

It lies beside KCL's own state, so any host goes on with it and every host reads it: a mark that
says of which tables and by which rules it is, and a row for each part. It is void when a table is
another one since, or the rules are. A whole comparison in one run counts for all parts.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import orjson

from kcl_processor.config.task import SKIP, Task
from kcl_processor.errors import SourceError
from kcl_processor.fleet.own_rows import Row, by_key, read_all_own, read_own, replace_own
from kcl_processor.launch import preflight
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.proof_part import (
    Open,
    PartProof,
    decode,
    part_key,
    unreadable,
)
from kcl_processor.state.record import as_written
from kcl_processor.transform.transform import Transform, digest_of

KEY = "KclProcessorProof"
_WRITTEN = ("token", "parts", "segments", "round", "round_at", "whole_at", "checked_at", "open")


@dataclass(frozen=True)
class Replica:
    """What a proof is of: two tables, and what makes them equal.

    Attributes:
        rules: the digest of the rules between them; empty for none.
        keeps: what the destination alone has is no difference (``ttl_deletes: skip``).
    """

    source: Incarnation
    destination: Incarnation
    rules: str
    keeps: bool = False

    def is_like(self, other: Replica) -> bool:
        """Whether what was proven of one is true of the other."""
        return not self.differs(other)

    def differs(self, other: Replica) -> str:
        """What makes another replica of it; empty if nothing does."""
        if not self.source.is_table(other.source):
            return "the source table is another one"
        if not self.destination.is_table(other.destination):
            return "the destination table is another one"
        if self.keeps != other.keeps:
            return "ttl_deletes is another"
        return "" if self.rules == other.rules else "the rules are others"


@dataclass(frozen=True)
class ProofMark:
    """What is common to all parts. Times are seconds since the epoch.

    Attributes:
        token: tells this proof from earlier ones; a row of a part holds it, too.
        parts, segments: how the tables are cut; 0 where nothing but whole runs were.
        round, round_at: the number of the round in which each part is to be compared once, and
            when it began. Hosts tell the time differently, and count alike.
        whole_at: when the last whole run began that ended equal; 0 if none did.
        checked_at: when the last whole run began, equal or not; ``open`` is what it left.
        row: as it was read, to be replaced as such.
    """

    token: str
    replica: Replica
    parts: int = 0
    segments: int = 0
    round: int = 0
    round_at: float = 0.0
    whole_at: float = 0.0
    checked_at: float = 0.0
    open: Open = field(default_factory=Open)
    row: Row | None = field(default=None, compare=False, repr=False)

    @classmethod
    def begun(cls, replica: Replica) -> Self:
        """One of which nothing is proven."""
        return cls(uuid.uuid4().hex, replica)


@dataclass(frozen=True)
class Standing:
    """How a task's proof stands.

    Attributes:
        parts: how many; 0 where nothing but whole runs have compared.
        proven_at: when the part was proven that was so longest ago, seconds since the epoch;
            ``None`` if one never was.
        differences: keys that were found to differ, and not to be equal since.
        unsure: keys that could not be judged: they change all the time, or cannot be traced.
        void: why nothing of it counts any more; empty if it does.
    """

    parts: int
    proven_at: float | None
    differences: int = 0
    unsure: int = 0
    void: str = ""

    def age(self, now: float) -> float | None:
        """Seconds since the oldest proof; ``None`` if a part was never proven."""
        return None if self.proven_at is None else max(0.0, now - self.proven_at)


def read_standing(task: Task) -> Standing | None:
    """How a task's proof stands; ``None`` where nobody has compared its tables.

    Raises:
        OperatorError, PermissionDenied: it cannot be read, or a table cannot be described.
    """
    return _standing(task, read_all_own(task))


def standing_in(task: Task, rows: Iterable[Mapping[str, Any]]) -> Standing | None:
    """As :func:`read_standing`, in rows that were read already.

    Args:
        rows: all of the task's coordinator state table.
    """
    return _standing(task, by_key(rows))


def _standing(task: Task, rows: Mapping[str, Row]) -> Standing | None:
    mark = _mark(rows.get(KEY))
    if mark is None:
        return None
    if void := mark.replica.differs(replica_of(task)):
        return Standing(mark.parts, None, void=void)
    return stand(mark, [part for part, _ in _parts_in(mark, rows)])


def stand(mark: ProofMark, parts: Sequence[PartProof | None]) -> Standing:
    """How a proof stands with its parts."""
    proven = [max(mark.whole_at, part.proven_at if part else 0.0) for part in parts]
    oldest = min(proven, default=mark.whole_at)
    left = [*_left_by_parts(mark, parts)]
    # What a whole run found, each part would have found since.
    if not parts or any(part is None or part.compared_at < mark.checked_at for part in parts):
        left.append(mark.open)
    known = {key for one in left for key in one.known}
    return Standing(
        mark.parts,
        oldest or None,
        len(known) + sum(one.more for one in left),
        sum(one.unsure for one in left),
    )


def _left_by_parts(mark: ProofMark, parts: Iterable[PartProof | None]) -> Iterable[Open]:
    for part in parts:
        # A whole run since then has looked at what it left.
        if part and part.ended_at > mark.checked_at:
            yield part.open
        if part:
            yield part.found


def read_proof(task: Task) -> ProofMark | None:
    """The mark of a task's proof, void or not.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    return _mark(read_own(task, KEY))


def read_proof_parts(task: Task, mark: ProofMark) -> list[tuple[PartProof | None, Row | None]]:
    """Each part of a proof, and its row; ``None`` for one that was never begun.

    Raises:
        OperatorError, PermissionDenied: they cannot be read.
    """
    return _parts_in(mark, read_all_own(task))


def _parts_in(
    mark: ProofMark, rows: Mapping[str, Row]
) -> list[tuple[PartProof | None, Row | None]]:
    found = [rows.get(part_key(number, mark.parts)) for number in range(mark.parts)]
    parts = [decode(row) for row in found]
    ours = [part if part and part.token == mark.token else None for part in parts]
    return list(zip(ours, found, strict=True))


def adopt_proof(
    task: Task, ours: Replica, cut: Callable[[], tuple[int, int]], now: float
) -> ProofMark:
    """The proof to go on with: the task's, unless it is void. A new one begins its first round.

    Args:
        cut: into how many parts and segments to cut the tables, if they are not yet.

    Raises:
        OperatorError, PermissionDenied: it cannot be read or written.
    """
    while True:
        found = read_proof(task)
        mark = found if found and found.replica.is_like(ours) else None
        if mark and mark.parts:
            return mark
        parts, segments = cut()
        after = replace(
            mark or ProofMark.begun(ours), parts=parts, segments=segments, round=1, round_at=now
        )
        if adopted := _replaced(task, found, after):
            if found:
                _forget(task, found)
            return adopted


def _forget(task: Task, void: ProofMark) -> None:
    """Remove the rows of a proof that is void; who holds one finds that it is gone."""
    for number in range(void.parts):
        key = part_key(number, void.parts)
        row = read_own(task, key)
        if row and row["token"]["S"] == void.token:
            replace_own(task, key, row, None)


def begin_round(task: Task, mark: ProofMark, now: float) -> bool:
    """Have each part compared once from now on; whether no other process was faster."""
    return _replaced(task, mark, replace(mark, round=mark.round + 1, round_at=now)) is not None


def note_whole(task: Task, ours: Replica, began_at: float, left: Open) -> None:
    """Note what a whole run has found, that was begun at some time.

    What one has found that began later stands, whichever ended first: it has seen what came since.

    Raises:
        OperatorError, PermissionDenied: it cannot be.
    """
    while True:
        found = read_proof(task)
        mark = found if found and found.replica.is_like(ours) else ProofMark.begun(ours)
        if began_at >= mark.checked_at:
            after = _checked(replace(mark, checked_at=began_at), left)
        elif left.is_closed:
            after = replace(mark, whole_at=max(mark.whole_at, began_at))
        else:
            return
        if _replaced(task, found, after):
            return


def settle_in_mark(task: Task, mark: ProofMark, settled: set[str]) -> None:
    """Note in what a whole run has found that some keys are equal now."""
    left = mark.open.without(settled)
    if left != mark.open:
        _replaced(task, mark, _checked(mark, left))


def _checked(mark: ProofMark, left: Open) -> ProofMark:
    whole_at = max(mark.whole_at, mark.checked_at) if left.is_closed else mark.whole_at
    return replace(mark, open=left, whole_at=whole_at)


def replica_of(task: Task) -> Replica:
    """A task's tables as they are, and its rules.

    Raises:
        SourceError, DestinationError, ConfigError, PermissionDenied: as :mod:`preflight` does.
    """
    source = preflight.describe(task.source, SourceError, "check the source")
    return replica_and_rules(task, source)[0]


def replica_and_rules(task: Task, source: dict[str, Any]) -> tuple[Replica, Transform | None]:
    """As :func:`replica_of`, and the rules between both tables.

    Args:
        source: as DescribeTable tells it.

    Raises:
        DestinationError, ConfigError, PermissionDenied: as :mod:`preflight` does.
    """
    table, keys = Incarnation.of(source), preflight.key_schema(source)
    destination, transform = preflight.check_destination(task, keys, table)
    keeps = task.ttl_deletes == SKIP
    return Replica(table, destination, digest_of(transform), keeps), transform


def _mark(row: Row | None) -> ProofMark | None:
    if row is None:
        return None
    try:
        fields = orjson.loads(row["proof"]["S"])
        sides = (Incarnation.read(fields.pop(side)) for side in ("source", "destination"))
        source, destination = sides
        rules, keeps = str(fields.pop("rules")), bool(fields.pop("keeps", False))
        replica = Replica(source, destination, rules, keeps)
        left = as_written(Open, fields.pop("open"))
        mark = as_written(ProofMark, fields | {"replica": replica, "open": left})
        return replace(mark, row=row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(error) from error


def _replaced(task: Task, before: ProofMark | None, after: ProofMark) -> ProofMark | None:
    """The mark as it was written; ``None`` if another process was faster."""
    replica = after.replica
    fields = {
        **{name: getattr(after, name) for name in _WRITTEN},
        "source": str(replica.source),
        "destination": str(replica.destination),
        "rules": replica.rules,
        # Of most tasks the row is as earlier versions read it.
        **({"keeps": True} if replica.keeps else {}),
    }
    row: Row = {"proof": {"S": orjson.dumps(fields).decode()}}
    if not replace_own(task, KEY, before.row if before else None, row):
        return None
    return replace(after, row=row)
