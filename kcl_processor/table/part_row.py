"""How far one part of a copy is, in a row that one process holds (:mod:`held_row`).

What a copy's processes send is bounded by a writing at which it found that the copy is the task's
still. So when a row stands still, nothing of its owner's is on its way, even if he lives.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.own_rows import Row, read_own
from kcl_processor.launch.copy_mark import CopyMark
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.live_mark import LiveMark
from kcl_processor.table.copy_checks import refuse_other, refuse_other_rules
from kcl_processor.table.copy_progress import CopyProgress, decode, encode
from kcl_processor.table.held_row import HeldRow, Words, is_at_work
from kcl_processor.table.table_reader import Segment


class PartRow(HeldRow[CopyProgress]):
    """The row of one part.

    Args:
        part: counted from 0.
        wait: waits for some seconds.
    """

    def __init__(
        self, task: Task, part: Segment, clock: Clock, wait: Callable[[float], None]
    ) -> None:
        command = f"kcl-processor copy {task.name} --part {part.number}/{part.total}"
        name = f"Part {part.number}/{part.total} of the copy of task {task.name}"
        words = Words(name, "copied", command, f"{command} --status")
        super().__init__(task, _key(part), words, clock, wait)
        self._part = part

    def encode(self, progress: CopyProgress) -> bytes:
        return encode(progress)

    def decode(self, row: Row | None) -> CopyProgress | None:
        return _progress(row, self._part)


def read_part(task: Task, part: Segment) -> CopyProgress | None:
    """How far a part of the task's last copy is; ``None`` when it has not begun.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    return _progress(read_own(task, _key(part)), part)


def part_at_work(task: Task, part: Segment, now: float) -> tuple[CopyProgress | None, bool]:
    """As :func:`read_part`; and whether a process copies the part, on whatever host.

    Args:
        now: this host's time, seconds since the epoch.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    row = read_own(task, _key(part))
    return _progress(row, part), is_at_work(row, now)


def read_parts(task: Task, parts: int, token: str) -> list[CopyProgress | None]:
    """How far each part of a copy is; ``None`` for one that has not begun.

    Raises:
        OperatorError, PermissionDenied: they cannot be read.
    """
    found = [read_part(task, Segment(number, parts)) for number in range(parts)]
    return [progress if progress and progress.token == token else None for progress in found]


def parts_left(task: Task, parts: int, token: str) -> int:
    """How many parts of a copy are not copied.

    Raises:
        As :func:`read_parts` does.
    """
    found = read_parts(task, parts, token)
    return sum(part is None or part.finished_at is None for part in found)


def refuse_other_copy(task: Task, mark: CopyMark | LiveMark, ours: Identity) -> None:
    """Refuse to join a copy of other tables, or by other rules: what its parts did is lost.

    Raises:
        ConfigError: it is one.
        OperatorError, PermissionDenied: as :func:`read_parts` does.
    """
    refuse_other_rules(task, mark.rules, ours)
    for part in read_parts(task, mark.parts, mark.token):
        if part:
            refuse_other(task, part, ours)


def _key(part: Segment) -> str:
    return f"KclProcessorCopyPart-{part.number}-of-{part.total}"


def _progress(row: Row | None, part: Segment) -> CopyProgress | None:
    if row is None:
        return None
    try:
        return decode(zlib.decompress(row["progress"]["B"]))
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"The progress of part {part.number}/{part.total} of the copy cannot be read: {error}.",
            "go on with the version that wrote it; or kcl-processor copy --restart begins anew",
        ) from error
