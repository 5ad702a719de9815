"""How far one part of a copy is, in a row beside KCL's own state: any host goes on from there.

Whoever copies a part holds its row: he writes it every few seconds, each time as he wrote it last,
and what his processes send is bounded by a writing at which he found that the copy is the task's
still. So who wants to go on with a part that has an owner watches the row for longer than that:
when it stands still, nothing of the owner's is on its way, even if he lives.
"""

from __future__ import annotations

import platform
import uuid
import zlib
from collections.abc import Callable
from contextlib import suppress

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.fleet.running import looks
from kcl_processor.launch.copy_mark import BEAT, DEAD
from kcl_processor.table.copy_progress import CopyProgress, decode, encode
from kcl_processor.table.table_reader import Segment


class PartTaken(OperatorError):
    """Another process copies this part."""

    exit_code = ExitCode.CONFIG


class Overtaken(OperatorError):
    """Another process has gone on with what this one had read: it is to be read again."""


class PartRow:
    """The row of one part.

    Args:
        part: counted from 0.
        wait: waits for some seconds.
    """

    def __init__(
        self, task: Task, part: Segment, clock: Clock, wait: Callable[[float], None]
    ) -> None:
        self._task = task
        self._part = part
        self._clock = clock
        self._wait = wait
        self._row: Row | None = None
        self._is_read = False
        self._owner = ""
        self._written_at = -BEAT

    def load(self) -> CopyProgress | None:
        """Read how far the part is; ``None`` when it never began.

        Raises:
            OperatorError, PermissionDenied: it cannot be read.
        """
        self._row, self._is_read = read_own(self._task, _key(self._part)), True
        return _progress(self._row, self._part)

    def take(self, progress: CopyProgress) -> None:
        """Hold the row from now on.

        Raises:
            PartTaken: another process writes it, or has since it was read.
            Overtaken: another process wrote it since it was read, and has let go of it.
            OperatorError, PermissionDenied: it cannot be read or written.
        """
        before, self._row = self._row, read_own(self._task, _key(self._part))
        if self._is_read and self._row != before:
            raise self._moved(self._row)
        if _owner(self._row):
            self._await_stillness(progress.token)
        elif not self._is_read and _token(self._row) == progress.token:
            raise self._moved(self._row)
        self._owner = uuid.uuid4().hex
        self.write(progress)

    def save(self, progress: CopyProgress) -> None:
        """Write how far the part is, if it is time: a kill makes the next run repeat the rest.

        Raises:
            As :meth:`write` does.
        """
        due = self._clock.elapsed() - self._written_at >= BEAT
        if due or progress.finished_at is not None:
            self.write(progress)

    def write(self, progress: CopyProgress) -> None:
        """Write how far the part is.

        Raises:
            PartTaken: another process holds the row.
            OperatorError, PermissionDenied: it cannot be written.
        """
        now = self._clock.elapsed()
        row: Row = {
            "token": {"S": progress.token},
            "owner": {"S": self._owner},
            "host": {"S": platform.node()},
            "beatAt": {"N": repr(self._clock.now())},
            "finished": {"BOOL": progress.finished_at is not None},
            "progress": {"B": zlib.compress(encode(progress))},
        }
        key = _key(self._part)
        if not replace_own(self._task, key, self._row, row):
            raise self._taken(read_own(self._task, key))
        self._row, self._written_at = row, now

    def release(self, progress: CopyProgress) -> None:
        """Let another process go on at once; if this fails, what was written last stays."""
        if not self._owner:
            return
        self._owner = ""
        with suppress(OperatorError):
            self.write(progress)

    def _await_stillness(self, token: str) -> None:
        before = self._row
        for _ in looks(DEAD, self._clock, self._wait):
            self._row = read_own(self._task, _key(self._part))
            if self._row == before:
                continue
            # Its owner has got further than was read, unless that is of no use any more.
            if _owner(self._row) or self._is_read or _token(self._row) == token:
                raise self._moved(self._row)
            return

    def _moved(self, row: Row | None) -> OperatorError:
        if _owner(row):
            return self._taken(row)
        return Overtaken(
            f"Part {self._part.number}/{self._part.total} of the copy of task {self._task.name} "
            "was gone on with by another process just now.",
            f"kcl-processor copy {self._task.name} --part {self._part.number}/{self._part.total} "
            "goes on from there",
        )

    def _taken(self, row: Row | None) -> PartTaken:
        host = row["host"]["S"] if row else "another host"
        return PartTaken(
            f"Part {self._part.number}/{self._part.total} of the copy of task {self._task.name} is "
            f"being copied on {host}.",
            f"kcl-processor copy {self._task.name} --part {self._part.number}/{self._part.total} "
            "--status",
        )


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
    # Who copies it has written its row lately.
    lately = bool(row and _owner(row) and now - float(row["beatAt"]["N"]) < DEAD)
    return _progress(row, part), lately


def read_parts(task: Task, parts: int, token: str) -> list[CopyProgress | None]:
    """How far each part of a copy is; ``None`` for one that has not begun.

    Raises:
        OperatorError, PermissionDenied: they cannot be read.
    """
    found = [read_part(task, Segment(number, parts)) for number in range(parts)]
    return [progress if progress and progress.token == token else None for progress in found]


def _key(part: Segment) -> str:
    return f"KclProcessorCopyPart-{part.number}-of-{part.total}"


def _owner(row: Row | None) -> str:
    return str(row["owner"]["S"]) if row else ""


def _token(row: Row | None) -> str:
    return str(row["token"]["S"]) if row else ""


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
