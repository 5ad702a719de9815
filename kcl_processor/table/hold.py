"""What a hold on a whole copy and one on a part have in common: how they keep a daemon out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.errors import ConfigError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.lease_changes import set_aside
from kcl_processor.fleet.leases import lease_rows
from kcl_processor.fleet.running import Signs, digest, has_leases, refuse_moved
from kcl_processor.launch.claim import claim_for_copy
from kcl_processor.launch.copy_mark import (
    DEAD,
    CopyMark,
    CopyState,
    displaced,
    disturbed,
    given_up,
    refuse_stale,
    refuse_unfollowed,
)
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.live_mark import forget_live_mark, read_live_mark
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.copy_watch import CopyListener
from kcl_processor.table.life_fence import LifeFence


class Hold:
    """One run of a copy, or of a part of one, as the rest of the fleet sees it.

    Args:
        ours: the task's tables as they are.

    Attributes:
        fence: what the copy writes by: that it is the task's still, and no daemon beside it.
    """

    def __init__(
        self, files: TaskFiles, ours: Identity, clock: Clock, wait: Callable[[float], None]
    ) -> None:
        self._files = files
        self._task = files.task
        self._ours = ours
        self._clock = clock
        self._wait = wait
        self.fence = LifeFence(clock, wait)
        self._mark: CopyMark | None = None
        self._signs: Signs = {}
        # The mark of the copy that this run goes into, if another part of it has begun it.
        self.joined: CopyMark | None = None
        self._alone_at = 0.0

    def seconds_to_alone(self) -> float:
        """Seconds until nothing is on its way of a copy whose place this one has taken.

        It may live: be paused, or not have looked yet. What it has read would land over this
        one's items, or over those of the daemon that follows.
        """
        return max(0.0, self._alone_at - self._clock.elapsed())

    def _is_over_live(self) -> bool:
        """Whether this copy takes the place of a live one that is not whole."""
        live = read_live_mark(self._task)
        return live is not None and live.state is CopyState.BEGUN

    def _take_place(self, mark: CopyMark) -> None:
        """Let nobody go on with a live copy; be alone some time after another lost its place.

        Who goes on with a copy that ended while it waited does not know for how long it did.
        """
        # Whatever a live copy has left is copied over. Where this one was cut off before here, both
        # have a mark, and this one's counts.
        forget_live_mark(self._task)
        if not mark.alone:
            self._alone_at = self._clock.elapsed() + DEAD

    def _moved(self, mark: CopyMark, state: CopyState) -> CopyMark:
        """A mark of this copy as it is to be from now on."""
        alone = mark.alone or not self.seconds_to_alone()
        return replace(mark.now(state, self._clock.now()), alone=alone)

    def _ended(self, mark: CopyMark | None, progress: CopyProgress, how: str) -> ConfigError:
        """Why this copy cannot be gone on with, by the mark that is there now, and what instead.

        Args:
            how: it was disturbed, if it is the task's last one still.
        """
        if mark is None:
            return given_up(self._task)
        # One that was paused may find a daemon that follows another copy.
        ours = mark.token == progress.token
        return disturbed(self._task, how) if ours else displaced(self._task, mark)

    def _refuse_unfollowed(self, progress: CopyProgress) -> None:
        """Refuse a copy that is done, but that no daemon was started over in time."""
        # Where the mark of a forced copy is gone, a daemon has followed, and it was written since.
        may_be_old = progress.forced and (self._mark is not None or not progress.token)
        if not may_be_old and not has_leases(self._task):
            refuse_unfollowed(self._task, progress.started_at, self._clock.now())

    def _was_alive(self, progress: CopyProgress, signs: Signs) -> bool:
        """Whether the daemon lived while nobody copied, and there is still something to copy."""
        return progress.signs not in ("", digest(signs)) and progress.finished_at is None

    def _enter(self, progress: CopyProgress, signs: Signs) -> None:
        """Keep the daemon out from now on; the mark must be there.

        Raises:
            StillRunning: it came alive before the mark was there.
            ConfigError: the checkpoints are another's.
        """
        # A daemon shows itself before it looks for the mark, and the mark is there now.
        refuse_moved(self._task, signs)
        claim_for_copy(self._task, self._ours, self._clock, self._wait)
        progress.signs, self._signs = digest(signs), signs

    def _refuse_daemon(self, progress: CopyProgress) -> None:
        """Refuse to go on with a daemon beside it, or too late for one.

        Raises:
            StillRunning: the daemon has come alive.
            GapError: the copy began 23 hours ago.
        """
        if not progress.forced:
            refuse_stale(self._task, progress.started_at, self._clock.now())
        refuse_moved(self._task, self._signs)

    def _set_leases_aside(self, listener: CopyListener) -> None:
        """Let a daemon that follows the copy read from the stream's oldest change.

        Checkpoints of earlier days are set aside: whatever they skip is in the copy, and whatever
        they hold back, or lost, is not needed.

        Raises:
            StillRunning: the daemon has come alive.
            OperatorError, PermissionDenied: a lease cannot be read or deleted.
        """
        leases = lease_rows(clients.checkpoints(self._task), table_names(self._task).leases)
        # Of a daemon that comes alive from here on none of these is, or it moves before it goes.
        refuse_moved(self._task, self._signs, leases_may_go=True)
        saved = set_aside(self._files, leases, self._clock.now())
        if saved:
            listener.warn(
                f"{len(leases)} earlier leases are set aside in {saved}: the daemon reads the "
                "stream from its oldest change."
            )
