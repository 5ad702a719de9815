"""What is being done to a task's whole tables, for whoever only looks: a copy, a comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.launch.copy_mark import DEAD, CopyMark, CopyState, read_mark
from kcl_processor.launch.live_mark import LiveMark, read_live_mark
from kcl_processor.launch.proof import read_proof, read_proof_parts
from kcl_processor.table.copy_progress import CopyProgress, load
from kcl_processor.table.held_row import is_at_work
from kcl_processor.table.managed_row import StepsRow
from kcl_processor.table.part_row import part_at_work
from kcl_processor.table.table_reader import Segment


@dataclass(frozen=True)
class Copying:
    """A copy that is not done. Moments are seconds since the epoch; unknown figures are ``None``.

    Attributes:
        kind: ``copy``, ``live copy`` or ``export and import``, which AWS makes.
        host: where it was at work last, as far as it is known.
        at_work: whether it gave a sign of life lately.
        disturbed: the daemon was alive meanwhile: it cannot be gone on with.
        items, expected_items: read at the source, and to be read, as DynamoDB counted them.
        seconds_left: until its end at the measured speed.
    """

    kind: str
    host: str | None = None
    started_at: float | None = None
    at_work: bool | None = None
    disturbed: bool = False
    parts: int = 1
    parts_done: int = 0
    items: int | None = None
    expected_items: int | None = None
    items_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class Comparing:
    """A round of a proof that is kept up. A run of ``verify`` that keeps none is not seen.

    Attributes:
        round, round_at: its number, and when it began, seconds since the epoch.
        parts_at_work: those that a process compares now, on whatever host.
        segments_done: those of all ``segments`` that were compared in this round.
    """

    round: int
    round_at: float
    parts: int
    parts_at_work: int
    segments: int
    segments_done: int


def copying(files: TaskFiles, now: float) -> Copying | None:
    """A task's copy that is not done, if there is one.

    Args:
        now: seconds since the epoch.

    Raises:
        ConfigError: its progress cannot be understood.
        OperatorError, PermissionDenied: it cannot be read.
    """
    task = files.task
    mark, live = read_mark(task), read_live_mark(task)
    if mark is None or mark.state is CopyState.DONE:
        if live and live.state is CopyState.BEGUN:
            return _in_parts("live copy", task, live, now)
        # AWS exports before there is a mark.
        return Copying("export and import") if StepsRow(task).load() else None
    if mark.in_parts:
        return _in_parts("copy", task, mark, now)
    kept = load(files.copy_progress)
    # What is kept here may be of an earlier copy, and this one's on another host.
    ours = [kept] if kept and kept.token == mark.token else []
    return _told("copy", mark, ours, at_work=now - mark.beat_at < DEAD)


def comparing(task: Task, now: float) -> Comparing | None:
    """A round of a task's proof in which something is left to be compared, if there is one.

    Args:
        now: seconds since the epoch.

    Raises:
        ConfigError: the proof cannot be understood.
        OperatorError, PermissionDenied: it cannot be read.
    """
    mark = read_proof(task)
    if mark is None or not mark.parts:
        return None
    done = at_work = 0
    for number, (part, row) in enumerate(read_proof_parts(task, mark)):
        at_work += is_at_work(row, now)
        if part is None:
            continue
        if part.finished_at is None and part.began_in == mark.round:
            done += len(part.done)
        elif part.round == mark.round:
            done += len(range(number, mark.segments, mark.parts))
    if done >= mark.segments and not at_work:
        return None
    return Comparing(mark.round, mark.round_at, mark.parts, at_work, mark.segments, done)


def _in_parts(kind: str, task: Task, mark: CopyMark | LiveMark, now: float) -> Copying:
    found = [part_at_work(task, Segment(at, mark.parts), now) for at in range(mark.parts)]
    ours = [part for part, _ in found if part and part.token == mark.token]
    at_work = any(works for _, works in found) or now - mark.beat_at < DEAD
    return _told(kind, mark, ours, at_work=at_work)


def _told(
    kind: str, mark: CopyMark | LiveMark, parts: list[CopyProgress], *, at_work: bool
) -> Copying:
    """With the figures of its parts, if there are any; of one that has not begun, what there is to
    copy is known by the others."""
    disturbed = mark.state is CopyState.DISTURBED or any(part.disturbed for part in parts)
    told = Copying(kind, mark.host, mark.started_at, at_work, disturbed, mark.parts)
    if not parts:
        return told
    items = sum(part.items for part in parts)
    expected = max(part.expected_items for part in parts) * mark.parts
    left = [part for part in parts if part.finished_at is None]
    speed = sum(part.items_per_second for part in left) if at_work else None
    return replace(
        told,
        parts_done=len(parts) - len(left),
        items=items,
        expected_items=expected,
        items_per_second=speed,
        seconds_left=(expected - items) / speed if speed and expected > items else None,
    )
