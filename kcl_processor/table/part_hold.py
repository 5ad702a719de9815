"""A part's hold on a copy: the others beside it, whoever copies them, and nobody else.

The first part that is started begins the copy: it checks, and puts down the mark. The others join
it, at whatever time, on whatever host. Each part has a row of its own, which one process holds. The
part that ends last says that the copy is done.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.running import Signs, StillRunning, refuse_moved
from kcl_processor.launch.claim import refuse_other_replica
from kcl_processor.launch.copy_mark import (
    CopyMark,
    CopyState,
    disturbed,
    followed,
    given_up,
    read_mark,
    refuse_uncopied,
    replace_mark,
)
from kcl_processor.launch.identity import Identity, read_claim
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.table.copy_checks import refuse_other
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.held_row import Overtaken
from kcl_processor.table.hold import Hold
from kcl_processor.table.part_row import PartRow, parts_left, refuse_other_copy
from kcl_processor.table.table_reader import Segment


class PartHold(Hold):
    """A hold on one part.

    Args:
        row: the part's.
        ours: the task's tables as they are.
    """

    def __init__(
        self,
        files: TaskFiles,
        part: Segment,
        row: PartRow,
        ours: Identity,
        clock: Clock,
        wait: Callable[[float], None],
    ) -> None:
        super().__init__(files, ours, clock, wait)
        self._part = part
        self._row = row

    def refuse_others(self, progress: CopyProgress | None, *, restart: bool) -> None:
        """Refuse what must not be copied, or not gone on with.

        Args:
            progress: that of the part's last run, of whatever copy, unless it is to be forgotten.

        Raises:
            ConfigError: the checkpoints are another replica's; or the task's last copy has other
                parts, is of other tables or by other rules, was given up or disturbed.
        """
        refuse_other_replica(self._task, read_claim(self._task), self._ours)
        self._mark = mark = read_mark(self._task)
        self.joined = mark if mark and mark.state is CopyState.BEGUN and not restart else None
        if restart:
            return
        ours = mark is None or (mark.in_parts and mark.parts == self._part.total)
        if mark and (mark.state is CopyState.DISTURBED or not ours):
            refuse_uncopied(self._task, mark, self._clock.now(), started=True)
        if self.joined:
            refuse_other_copy(self._task, self.joined, self._ours)
        if progress is None or (mark and not self.is_of_last(progress)):
            return
        refuse_other(self._task, progress, self._ours)
        if mark and progress.disturbed:
            raise disturbed(self._task, "the daemon ran beside it")
        if mark is None and progress.disturbed:
            raise given_up(self._task)
        if mark is None and self._left(progress):
            raise ConfigError(
                f"The copy of task {self._task.name} that part {self._part.number} belonged to was "
                "given up: the daemon was started since.",
                followed(self._task),
            )

    def is_of_last(self, progress: CopyProgress) -> bool:
        """Whether a part's progress is that of the task's last copy."""
        return self._mark is not None and self._mark.token == progress.token

    def was_overtaken(self) -> bool:
        """Whether another part has begun the copy since the others were looked at."""
        found, known = read_mark(self._task), self._mark.token if self._mark else ""
        return found is not None and found.token != known and found.parts == self._part.total

    def is_done(self, progress: CopyProgress) -> bool:
        """Whether nothing is left to do, for this part or another.

        Raises:
            GapError: it is done, but no daemon was started in time.
        """
        if progress.finished_at is None or self.joined:
            return False
        if self._mark and not self.is_of_last(progress):
            return False
        self._refuse_unfollowed(progress)
        return True

    def begin(self, progress: CopyProgress, signs: Signs) -> None:
        """Hold the part, and begin the copy if no other part has.

        Args:
            signs: what was seen of the daemon while it was watched, and did not move.

        Raises:
            StillRunning: the daemon came alive meanwhile; all is as it was.
            PartTaken: another process copies the part.
            Overtaken: another part has begun the copy; or another process has copied of this one
                what was read as left.
            ConfigError: it was alive since this part was begun, or the checkpoints are another's.
        """
        before, joined = self._mark, progress.token != ""
        if not joined:
            self._put_mark(progress)
        elif self._was_alive(progress, signs):
            raise self.disturb(progress, "the daemon was alive since it was begun")
        assert self._mark, "a copy has begun"
        try:
            self._enter(progress, signs)
        except (StillRunning, ConfigError):
            if not joined:
                replace_mark(self._task, self._mark, before)
            raise
        self._take_place(self._mark)
        self._row.take(progress)

    def look(self, progress: CopyProgress) -> None:
        """Show that the part lives, that no daemon is beside it, and that it is not too late.

        Raises:
            StillRunning: the daemon has come alive.
            PartTaken: another process copies the part.
            ConfigError: the copy was given up, or another one was begun; or it is said to be done,
                and a daemon may start; or the writers have moved.
            GapError: it began 23 hours ago.
        """
        asked_at = self._clock.elapsed()
        refuse_switched(self._task)
        mark = self._current(progress)
        # Whose row is another's has lost his part, and a daemon may have followed the copy.
        self._row.write(progress)
        self._refuse_daemon(progress)
        if mark.state is not CopyState.BEGUN:
            how = f"it was said to be done while part {self._part.number} was at work"
            raise self.disturb(progress, how)
        self.fence.shown(asked_at)
        # Another part may have been faster, and its sign of life does as well.
        replace_mark(self._task, mark, self._moved(mark, CopyState.BEGUN))

    def disturb(self, progress: CopyProgress, how: str) -> ConfigError:
        """Note that the copy cannot be gone on with, by any part; the error that says so."""
        mark = read_mark(self._task)
        while mark and mark.token == progress.token and mark.state is not CopyState.DISTURBED:
            after = mark.now(CopyState.DISTURBED, self._clock.now())
            if replace_mark(self._task, mark, after):
                break
            mark = read_mark(self._task)
        return self._ended(mark, progress, how)

    def finish(self, progress: CopyProgress, listener: CopyListener) -> bool:
        """Let a daemon start, from the stream's oldest change, if this part was the last.

        Returns:
            whether the whole copy is done.

        Raises:
            StillRunning: the daemon has come alive.
            ConfigError: the copy was given up, or another one was begun.
        """
        while (mark := self._current(progress)).state is not CopyState.DONE:
            try:
                refuse_moved(self._task, self._signs, leases_may_go=True)
                left = self._left(progress)
                if left:
                    listener.warn(f"{left} of {self._part.total} parts are not copied yet.")
                    return False
                self._set_leases_aside(listener)
            except StillRunning:
                # It may have followed what another part has said to be done meanwhile.
                if self._current(progress).state is not CopyState.DONE:
                    raise
            else:
                if replace_mark(self._task, mark, mark.now(CopyState.DONE, self._clock.now())):
                    break
        return True

    def _left(self, progress: CopyProgress) -> int:
        """How many parts of a part's copy are not copied."""
        return parts_left(self._task, self._part.total, progress.token)

    def _put_mark(self, progress: CopyProgress) -> None:
        before, now = self._mark, self._clock.now()
        progress.token = uuid.uuid4().hex
        self._mark = CopyMark.begun(
            progress.token,
            progress.started_at,
            now,
            forced=progress.forced,
            parts=self._part.total,
            segments=len(progress.segments),
            rules=progress.rules,
            to_empty=progress.to_empty,
            alone=(before is None or before.state is CopyState.DONE) and not self._is_over_live(),
            export=progress.export,
        )
        if not replace_mark(self._task, before, self._mark):
            raise Overtaken(
                f"Another part has begun the copy of task {self._task.name} just now.",
                "start this part again, and it joins it",
            )

    def _current(self, progress: CopyProgress) -> CopyMark:
        """The mark of this part's copy as it is now."""
        mark = read_mark(self._task)
        if mark and mark.token == progress.token and mark.state is not CopyState.DISTURBED:
            return mark
        progress.disturbed = True
        raise self._ended(mark, progress, "another part found the daemon beside it")
