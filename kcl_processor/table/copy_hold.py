"""A copy's hold on its task: no daemon and no other copy beside it, on whatever host."""

from __future__ import annotations

import platform
import uuid

from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet.running import Signs, StillRunning, has_leases
from kcl_processor.launch.claim import refuse_other_replica
from kcl_processor.launch.copy_mark import (
    CopyMark,
    CopyState,
    anew,
    displaced,
    disturbed,
    followed,
    given_up,
    read_mark,
    refuse_uncopied,
    replace_mark,
)
from kcl_processor.launch.identity import read_claim
from kcl_processor.launch.switch_mark import refuse_switched
from kcl_processor.table.copy_checks import refuse_other
from kcl_processor.table.copy_progress import CopyProgress, load, save
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.hold import Hold


def mark_earlier(files: TaskFiles) -> None:
    """Let the fleet see a copy that an earlier version made on this host, and left no mark of.

    Raises:
        ConfigError: its progress cannot be read or written.
        OperatorError, PermissionDenied: the mark cannot be read or written.
    """
    progress = None if has_leases(files.task) else load(files.copy_progress)
    if progress is None or progress.token:
        return
    progress.token = uuid.uuid4().hex
    begun = CopyMark.begun(
        progress.token, progress.started_at, progress.updated_at, forced=progress.forced
    )
    done = progress.finished_at is not None
    mark = begun.now(CopyState.DONE, progress.updated_at) if done else begun
    if replace_mark(files.task, None, mark):
        save(files.copy_progress, progress)


class CopyHold(Hold):
    """A hold on a whole copy: this host alone goes on with it."""

    def is_of_last(self, _progress: CopyProgress) -> bool:
        """Whether a progress is the task's last copy's: what this host keeps is, or was refused."""
        return True

    def was_overtaken(self) -> bool:
        """Whether another has begun the same copy: none can."""
        return False

    def refuse_others(self, progress: CopyProgress | None, *, restart: bool) -> None:
        """Refuse what must not be copied, or not gone on with.

        Args:
            progress: that of an earlier run on this host, unless it is to be forgotten.

        Raises:
            ConfigError: the checkpoints are another replica's; or the copy is of other tables, not
                the task's last one, unfinished elsewhere, given up or disturbed.
        """
        refuse_other_replica(self._task, read_claim(self._task), self._ours)
        self._mark = read_mark(self._task)
        if restart:
            return
        if progress:
            refuse_other(self._task, progress, self._ours)
            self._refuse_not_last(progress)
        else:
            self._refuse_unknown()
            refuse_uncopied(self._task, self._mark, self._clock.now(), started=True)

    def is_done(self, progress: CopyProgress) -> bool:
        """Whether nothing is left to do.

        Raises:
            GapError: it is done, but no daemon was started in time.
        """
        if progress.finished_at is None or (self._mark and self._mark.state is CopyState.BEGUN):
            return False
        self._refuse_unfollowed(progress)
        return True

    def begin(self, progress: CopyProgress, signs: Signs) -> None:
        """Keep everybody else out from now on.

        Args:
            signs: what was seen of the daemon while it was watched, and did not move.

        Raises:
            StillRunning: the daemon came alive meanwhile; all is as it was.
            ConfigError: it was alive since this copy was begun, or the checkpoints are another's;
                or the progress cannot be written: all is as it was.
        """
        if self._was_alive(progress, signs):
            raise self.disturb(progress, "the daemon was alive since it was begun")
        before, now = self._mark, self._clock.now()
        progress.token = progress.token or uuid.uuid4().hex
        mark = CopyMark.begun(
            progress.token,
            progress.started_at,
            now,
            forced=progress.forced,
            alone=not (before and _may_write(before)) and not self._is_over_live(),
            export=progress.export,
        )
        if not self._replace(mark):
            raise OperatorError(
                f"Another copy of task {self._task.name} was begun just now.", "look again"
            )
        try:
            self._enter(progress, signs)
            save(self._files.copy_progress, progress)
        except (StillRunning, ConfigError):
            replace_mark(self._task, self._mark, before)
            raise
        self._take_place(mark)

    def look(self, progress: CopyProgress) -> None:
        """Show that the copy lives, that nobody is beside it, and that it is not too late.

        Raises:
            StillRunning: the daemon has come alive.
            ConfigError: the copy was given up, or another one was begun; or the writers have moved.
            GapError: it began 23 hours ago.
        """
        refuse_switched(self._task)
        self._refuse_daemon(progress)
        if not self._set(CopyState.BEGUN):
            raise self.disturb(progress, "its mark was taken away")

    def disturb(self, progress: CopyProgress, how: str) -> ConfigError:
        """Note that the copy cannot be gone on with; the error that says why, and what instead."""
        progress.disturbed = True
        try:
            if self._mark:
                after = self._mark.now(CopyState.DISTURBED, self._clock.now())
                replace_mark(self._task, self._mark, after)
        finally:
            # Either of the two tells the next run.
            save(self._files.copy_progress, progress)
        return self._ended(read_mark(self._task), progress, how)

    def finish(self, progress: CopyProgress, listener: CopyListener) -> bool:
        """Let a daemon start, from the stream's oldest change; true, for the whole copy is done.

        Raises:
            StillRunning: the daemon has come alive.
            ConfigError: the copy was given up, or another one was begun.
        """
        self._set_leases_aside(listener)
        if not self._set(CopyState.DONE):
            raise self.disturb(progress, "its mark was taken away")
        return True

    def _refuse_not_last(self, progress: CopyProgress) -> None:
        mark = self._mark
        if mark and mark.token != progress.token:
            self._refuse_unknown("is an earlier one's")
            raise displaced(self._task, mark)
        if progress.disturbed and mark is None:
            raise given_up(self._task)
        if progress.disturbed or (mark and mark.state is CopyState.DISTURBED):
            raise disturbed(self._task, "the daemon ran beside it")
        started = mark is None and (bool(progress.token) or has_leases(self._task))
        if started and progress.finished_at is None:
            raise ConfigError(
                f"The copy of task {self._task.name} that this host knows of is not the last word: "
                "the daemon was started since.",
                followed(self._task),
            )

    def _refuse_unknown(self, kept: str = "is not there") -> None:
        """Refuse a copy that this host has begun and knows nothing of: it cannot go on here.

        Args:
            kept: what is known of the file of its progress.
        """
        mark = self._mark
        begun_here = mark and (mark.state, mark.host) == (CopyState.BEGUN, platform.node())
        if mark and begun_here and not mark.in_parts:
            managed = "kcl-processor copy --managed, if that began it; or " if mark.export else ""
            raise ConfigError(
                f"The copy of task {self._task.name}, begun on this host, is not finished, and "
                f"{self._files.copy_progress} {kept}: it was cut off before it wrote an "
                "item, or keeps its files in another folder.",
                f"{managed}--state-dir with that folder; if there is none, {anew(self._task)}",
            )

    def _set(self, state: CopyState) -> bool:
        assert self._mark, "a copy has begun"
        return self._replace(self._moved(self._mark, state))

    def _replace(self, mark: CopyMark) -> bool:
        asked_at = self._clock.elapsed()
        if not replace_mark(self._task, self._mark, mark):
            return False
        self._mark = mark
        self.fence.shown(asked_at)
        return True


def _may_write(before: CopyMark) -> bool:
    """Whether a copy whose place is taken may write still, or one whose place that one took."""
    # Of a whole copy that was begun on this host nothing is left: the host's lock is ours.
    elsewhere = before.in_parts or before.host != platform.node()
    return before.state is not CopyState.DONE and (elsewhere or not before.alone)
