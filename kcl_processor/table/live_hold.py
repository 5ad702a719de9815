"""A part's hold on a copy that runs beside the daemon: no other copy beside it, on whatever host.

A whole copy is one part of one. The first part that is started begins the copy, the others join it,
and the one that ends last says that it is done, as parts of a plain copy do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError
from kcl_processor.launch.copy_mark import DEAD, CopyState
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.live_mark import LiveMark, read_live_mark, replace_live_mark
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.held_row import Overtaken
from kcl_processor.table.life_fence import LifeFence
from kcl_processor.table.part_row import PartRow, parts_left, refuse_other_copy
from kcl_processor.table.table_reader import Segment

# Seconds after a copy's begin in which the one that was given up for it may be at work still, and
# how far two hosts' clocks may be apart.
_GIVEN_UP = DEAD + 300.0


class LiveHold:
    """A hold on one part.

    Args:
        row: the part's.
        ours: the task's tables as they are.

    Attributes:
        fence: what the copy writes by: that the part is its own still.
        joined: the mark of the copy that this run goes into or on with, if one was begun.
    """

    def __init__(
        self,
        task: Task,
        part: Segment,
        row: PartRow,
        ours: Identity,
        clock: Clock,
        wait: Callable[[float], None],
    ) -> None:
        self._task = task
        self._part = part
        self._row = row
        self._ours = ours
        self._clock = clock
        self.fence = LifeFence(clock, wait)
        self.joined: LiveMark | None = None
        self._before: LiveMark | None = None
        self._alone_at = 0.0

    def refuse_others(self, progress: CopyProgress | None, *, restart: bool) -> None:
        """Refuse what must not be copied, or not gone on with.

        Args:
            progress: that of the part's last run, of whatever copy.

        Raises:
            ConfigError: the task's last copy is unfinished, and has other parts; or it is of other
                tables or by other rules.
        """
        self._before = mark = read_live_mark(self._task)
        self.joined = None
        if restart or mark is None:
            return
        if mark.state is CopyState.BEGUN and mark.parts != self._part.total:
            words = mark.in_words(self._task.name, self._clock.now())
            raise ConfigError(
                f"{words[0].upper()}{words[1:]}, in {mark.parts} parts.",
                f"{mark.again(self._task.name)}; or --restart begins anew",
            )
        last = progress is not None and progress.token == mark.token
        if mark.state is CopyState.BEGUN or last:
            self.joined = mark
            refuse_other_copy(self._task, mark, self._ours)

    def is_of_last(self, progress: CopyProgress) -> bool:
        """Whether a part's progress is that of the copy that is gone on with."""
        return self.joined is not None and self.joined.token == progress.token

    def is_done(self, progress: CopyProgress) -> bool:
        """Whether nothing is left to do, for this part or another."""
        done = self.joined is not None and self.joined.state is CopyState.DONE
        return done and self.is_of_last(progress)

    def begin(self, progress: CopyProgress) -> None:
        """Hold the part, and begin the copy if no other part has.

        Raises:
            PartTaken: another process copies the part.
            ConfigError: the copy in whose place this one is begun is at work.
            Overtaken: another part has begun the copy; or another process has copied of this one
                what was read as left.
        """
        mark = self.joined
        if not progress.token:
            progress.token = uuid.uuid4().hex
            mark = LiveMark.begun(
                progress.token,
                progress.started_at,
                self._part.total,
                len(progress.segments),
                progress.rules,
                to_empty=progress.to_empty,
                over=self._before is not None and self._before.state is CopyState.BEGUN,
            )
            if not replace_live_mark(self._task, self._before, mark):
                self._refuse_at_work()
                raise Overtaken(
                    f"Another part has begun the copy of task {self._task.name} just now.",
                    "start this part again, without --restart, and it joins it",
                )
        if mark and mark.over and self._clock.now() - mark.started_at < _GIVEN_UP:
            self._alone_at = self._clock.elapsed() + DEAD
        self._row.take(progress)

    def seconds_to_alone(self) -> float:
        """Seconds until nothing is on its way of a copy whose place this one has taken."""
        return max(0.0, self._alone_at - self._clock.elapsed())

    def look(self, progress: CopyProgress) -> None:
        """Show that the part lives, and that it is the copy's still.

        Raises:
            PartTaken: another process copies the part.
            ConfigError: another copy was begun, or the writers have moved.
        """
        asked_at = self._clock.elapsed()
        refuse_switched(self._task)
        mark = self._current(progress)
        self._row.write(progress)
        self.fence.shown(asked_at)
        # Another part may have been faster, and its sign of life does as well.
        replace_live_mark(self._task, mark, mark.now(mark.state, self._clock.now()))

    def finish(self, progress: CopyProgress) -> int:
        """Say that the copy is done, if this part was the last; how many are left.

        Raises:
            ConfigError: another copy was begun.
        """
        while (mark := self._current(progress)).state is not CopyState.DONE:
            if left := parts_left(self._task, self._part.total, progress.token):
                return left
            if replace_live_mark(self._task, mark, mark.now(CopyState.DONE, self._clock.now())):
                break
        return 0

    def _refuse_at_work(self) -> None:
        """Refuse to take the place of a copy that moved its mark since that was read."""
        mark = read_live_mark(self._task)
        if mark and self._before and mark.token == self._before.token:
            raise ConfigError(
                f"The live copy of task {self._task.name} that is to be begun anew is at work on "
                f"{mark.host}: its mark moved just now.",
                "stop it first, then try again",
            )

    def _current(self, progress: CopyProgress) -> LiveMark:
        """The mark of this part's copy as it is now."""
        mark = read_live_mark(self._task)
        if mark is None or mark.token != progress.token:
            raise ConfigError(
                f"The copy of task {self._task.name} was given up: another was begun"
                f"{f' on {mark.host}' if mark else ''}.",
                f"kcl-processor copy --live --status {self._task.name}",
            )
        return mark
