"""What must hold for a copy beside the daemon: every change since its begin is the daemon's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError, OperatorError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import TRIM_HORIZON, Lease, read_leases
from kcl_processor.fleet.stream import Stream, StreamShard
from kcl_processor.launch.claim import refuse
from kcl_processor.launch.copy_mark import read_mark, refuse_uncopied
from kcl_processor.launch.identity import Identity, read_claim
from kcl_processor.launch.live_mark import read_live_mark
from kcl_processor.launch.proof import read_standing
from kcl_processor.state.gaps import open_gaps
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.part_row import read_parts
from kcl_processor.words import many

# Seconds between two looks at what lies unread behind the daemon's positions.
_GAP_INTERVAL = 600.0


def refuse_unfollowed(
    task: Task, ours: Identity, clock: Clock, wait: Callable[[float], None]
) -> None:
    """Refuse a copy some of whose changes the daemon may never apply.

    Raises:
        ConfigError: no daemon was started; or it follows other tables, rules or an older stream; or
            a shard has no position yet; or a plain copy is unfinished.
        GapError: as :func:`refuse` of the claim.
        OperatorError, PermissionDenied: it cannot be seen.
    """
    refuse_uncopied(task, read_mark(task), clock.now(), started=True)
    claimed, leases = read_claim(task), _leases(task)
    if claimed is None or not leases:
        raise ConfigError(
            f"No daemon of task {task.name} was started, or none since its leases were reset: what "
            "changes while the table is copied would be lost.",
            f"kcl-processor run {task.name}, on whatever host, then this again, beside it",
        )
    stream = Stream(clients.streams(task.source), ours.stream, clock, wait)
    refuse(task, claimed, ours, stream)
    if claimed.stream != ours.stream:
        raise ConfigError(
            f"The daemon of task {task.name} still reads {claimed.stream}, and the stream of "
            f"{task.source} is {ours.stream}.",
            "let it come to the end of the older one, then try again",
        )
    refuse_unplaced(task, leases, stream.shards())


def refuse_unplaced(task: Task, leases: Iterable[Lease], shards: Sequence[StreamShard]) -> None:
    """Refuse shards that the daemon may begin to read behind the copy's begin.

    A shard that is nobody's yet is read from its begin, if it descends from one that is somebody's;
    one with children was read, or is before what the daemon began with.

    Raises:
        ConfigError: there is one.
    """
    leased = {lease.shard: lease for lease in leases}
    latest = sorted(shard for shard, lease in leased.items() if not _is_placed(lease))
    if latest:
        raise ConfigError(
            f"The daemon of task {task.name} has no position in {many(len(latest), 'shard')}, such "
            f"as {latest[0]}, which is at {leased[latest[0]].checkpoint}: what changes before it "
            "reads there would be lost.",
            f"kcl-processor run {task.name}, and this again when `kcl-processor leases "
            f"{task.name}` shows a position for each shard; or first "
            f"kcl-processor leases reset --to trim-horizon {task.name}",
        )
    parents = {shard.id: shard.parent for shard in shards}
    with_children = set(parents.values())
    for shard in shards:
        if shard.id not in with_children and not _descends(shard.id, parents, leased):
            raise ConfigError(
                f"The daemon of task {task.name} does not know shard {shard.id} of the stream yet.",
                f"kcl-processor run {task.name}, if it does not run; and this again in a minute",
            )


def refuse_gap(files: TaskFiles, ours: Identity, since: float, clock: Clock) -> None:
    """Tell of changes that the daemon has lost, or is about to lose, since a copy began.

    Raises:
        GapError: some are noted on this host, or a position has left the stream.
        OperatorError, PermissionDenied: it cannot be seen.
    """
    task = files.task
    noted = [gap for gap in open_gaps(files.gaps) if gap.at >= since]
    gone = [] if noted else _gone(task, ours, clock)
    if noted or gone:
        what = (
            f"passed {many(len(noted), 'gap')}"
            if noted
            else f"is too late for {many(len(gone), 'shard')}"
        )
        raise GapError(
            f"While task {task.name} was copied its daemon {what}: changes are lost that neither "
            "it nor the copy has brought. All else is copied.",
            _mend(task),
        )


def _gone(task: Task, ours: Identity, clock: Clock) -> list[str]:
    """Shards whose position has left the stream."""
    stream = Stream(clients.streams(task.source), ours.stream, clock, lambda _: None)
    unread = [lease for lease in _leases(task) if not lease.ended]
    return [shard for shard, look in stream.look_behind(unread).items() if look.trimmed]


class GapWatch:
    """Looks, while a copy runs, whether its daemon loses changes: afterwards only one host knows.

    Args:
        progress: of the copy; what is seen is noted there.
        tell: takes one line.
    """

    def __init__(
        self,
        files: TaskFiles,
        ours: Identity,
        progress: CopyProgress,
        tell: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._files = files
        self._ours = ours
        self._progress = progress
        self._tell = tell
        self._clock = clock
        self._looked_at = clock.elapsed()

    def look(self, *, last: bool = False) -> None:
        """Look, if ten minutes have passed, or if it is the last time."""
        now = self._clock.elapsed()
        early = now - self._looked_at < _GAP_INTERVAL and not last
        if early or self._progress.lost:
            return
        self._looked_at = now
        try:
            refuse_gap(self._files, self._ours, self._progress.started_at, self._clock)
        except GapError as gap:
            self._progress.lost = gap.message
            self._tell(gap.message)
        except OperatorError as unseen:
            self._tell(f"Whether the daemon keeps up is not seen now: {unseen.message}")

    def refuse(self) -> None:
        """Tell at the copy's end, and whenever it is asked for again, what was lost meanwhile.

        Raises:
            As :func:`refuse_gap` does.
        """
        refuse_gap(self._files, self._ours, self._progress.started_at, self._clock)
        refuse_lost(self._files.task, self._progress)


def refuse_lost(task: Task, progress: CopyProgress) -> None:
    """Tell what a copy saw the daemon lose, until the tables are proven equal since its end.

    Args:
        progress: of one of its parts; what another one saw is lost for the whole.

    Raises:
        GapError: it did.
        OperatorError, PermissionDenied: whether they are cannot be seen.
    """
    mark = read_live_mark(task)
    is_last = mark is not None and mark.token == progress.token
    parts = read_parts(task, mark.parts, mark.token) if mark and is_last else [progress]
    lost = next((part.lost for part in (progress, *parts) if part and part.lost), "")
    if not lost:
        return
    ends = [part.finished_at if part else None for part in parts]
    ended = None if None in ends else max(end for end in ends if end)
    proof = read_standing(task) if ended else None
    if not (ended and proof and proof.proven_at and proof.proven_at > ended):
        raise GapError(lost, _mend(task))


def _mend(task: Task) -> str:
    return f"kcl-processor verify {task.name} --repair --delete-extra"


def _leases(task: Task) -> list[Lease]:
    return read_leases(clients.checkpoints(task), table_names(task))


def _is_placed(lease: Lease) -> bool:
    return lease.ended or lease.checkpoint == TRIM_HORIZON or lease.checkpoint.isdigit()


def _descends(shard: str | None, parents: dict[str, str | None], leased: dict[str, Lease]) -> bool:
    """Whether a shard, or one that it comes from, is somebody's."""
    while shard is not None and shard not in leased:
        shard = parents.get(shard)
    return shard is not None
