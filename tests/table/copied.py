"""A task that is copied, as the tests of what holds its copy see it."""

from __future__ import annotations

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.launch.copy_mark import CopyState, read_mark
from kcl_processor.table.copy_progress import CopyProgress, SegmentProgress
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.pace import Halt
from tests.fakes import HandClock
from tests.kcl_tables import fill, identity, make_source_and_destination, make_task

LEASE = {"leaseKey": {"S": "shardId-1"}, "leaseCounter": {"N": "7"}, "checkpoint": {"S": "17"}}


def never_ran(moto_url: str) -> Task:
    """A task whose tables are all there, and that never ran."""
    task = make_task(moto_url)
    make_source_and_destination(task)
    fill(task, [])
    return task


def state_of(task: Task) -> CopyState | None:
    """How far a task's last copy is."""
    mark = read_mark(task)
    return mark.state if mark else None


class Told(CopyListener):
    """Keeps what an operator is warned of."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warn(self, text: str) -> None:
        self.lines.append(text)


class TurningHalt(Halt):
    """A halt whose waiting turns a clock; what waits for ever is halted."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__()
        self._clock = clock
        self._waits = 500

    def wait(self, seconds: float) -> None:
        self._waits -= bool(seconds)
        if not self._waits:
            self.set()
        super().wait(0)
        self._clock.turn(seconds)


class CopyWorld:
    """A task, its tables as they are, and the time."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.clock = HandClock()
        self.ours = identity(task)

    def progress(self, segments: int = 1, part: int = 0, parts: int = 1) -> CopyProgress:
        """Of a copy, or of a part of one, that begins now."""
        return CopyProgress(
            str(self.ours.source),
            str(self.ours.destination),
            self.ours.stream,
            10,
            1000,
            self.clock.now(),
            [SegmentProgress() for _ in range(segments)],
            part=part,
            parts=parts,
            rules=self.ours.rules,
        )

    def put_lease(self) -> None:
        """What a living worker does."""
        table = self.task.kcl.application_name
        clients.checkpoints(self.task).put_item(TableName=table, Item=LEASE)

    def state(self) -> CopyState | None:
        return state_of(self.task)
