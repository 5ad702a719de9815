"""One look at a task from outside: KCL's tables, the stream, and the heartbeats of this host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles, is_queue
from kcl_processor.errors import OperatorError, PermissionDenied, SourceError
from kcl_processor.fleet import coordinator
from kcl_processor.fleet.coordinator import (
    Leader,
    Life,
    Owners,
    Pulses,
    pulse,
    pulses_of,
    report_pulse,
)
from kcl_processor.fleet.events import Event, events_of
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import KclRows, Lease, read_rows
from kcl_processor.fleet.limit import Limit, limit_of
from kcl_processor.fleet.own_rows import own_among
from kcl_processor.fleet.pause import Pause, pauses_of
from kcl_processor.fleet.stream import SHORT_LIST, Look, Stream, StreamShard
from kcl_processor.fleet.throttle import Throttled, throttled_of
from kcl_processor.launch.claim import refuse_foreign
from kcl_processor.launch.copy_mark import CopyState
from kcl_processor.launch.live_mark import KEY, LiveMark, live_mark_of
from kcl_processor.launch.preflight import stream_arn
from kcl_processor.launch.proof import Standing, standing_in
from kcl_processor.launch.switch_mark import KEY as SWITCH_KEY
from kcl_processor.launch.switch_mark import SwitchMark, switch_of
from kcl_processor.operate.endings import last_endings
from kcl_processor.operate.lineage import (
    ShardView,
    all_followed,
    join,
    read_here,
    unfinished,
    unleased,
)
from kcl_processor.state.dead_letters import LetterFile
from kcl_processor.state.ending import Ending
from kcl_processor.state.gaps import open_gaps
from kcl_processor.state.heartbeat import Heartbeat, read_every

# Seconds between two readings while waiting for counters to move.
_POLL = 0.5


@dataclass(frozen=True)
class Sight:
    """What one look saw.

    Attributes:
        found: whether a daemon ever started: there are leases.
        live: the workers that gave a sign of life.
        unseen: why the stream could not be looked at: nothing of it is in the shards, and no lag.
        endings: how workers of this host ended that do not run.
        pauses: of the task or its shards.
        limit: of the task, if it has one.
        dead_letters, gaps: those noted on this host that nobody has settled; ``None`` when no
            record processor of the task ever ran here, so that another host may have some.
        copying: a copy beside the daemon that is not finished.
        proof: how it stands; ``None`` where nobody has compared the tables.
        switching: a switchover that was not taken back.
        throttled: the living workers that are.
        events: those that are kept, the oldest first.
    """

    task: str
    found: bool
    shards: list[ShardView]
    live: list[str]
    leader: Leader | None
    unseen: OperatorError | None
    heartbeats: dict[str, Heartbeat]
    endings: list[Ending]
    pauses: list[Pause]
    dead_letters: int | None
    gaps: int | None
    now: float
    copying: LiveMark | None = None
    proof: Standing | None = None
    switching: SwitchMark | None = None
    limit: Limit | None = None
    throttled: list[Throttled] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def is_paused(self) -> bool:
        """Whether all of the task is, and not some shards alone."""
        return any(pause.shard is None for pause in self.pauses)


class Observer:
    """Looks at one task, again and again if need be; what it learnt of movement it keeps.

    Args:
        files: the task's on this host.
        wait: waits for some seconds.
        stream: the source's; found at the first look otherwise.
    """

    def __init__(
        self,
        files: TaskFiles,
        clock: Clock,
        wait: Callable[[float], None],
        stream: Stream | None = None,
    ) -> None:
        self._files = files
        self._task = task = files.task
        self._clock = clock
        self._wait = wait
        self._names = table_names(task)
        self._patience = coordinator.renewal_seconds(task)
        self._pulses = Pulses(self._patience)
        self._client = clients.checkpoints(task)
        self._stream = stream
        self._ours = False

    def look(self, *, patient: bool = True, thorough: bool = False) -> Sight:
        """Look once.

        Args:
            patient: wait until each owned lease of which nothing is known has moved or should have,
                so that a dead owner shows; a few seconds. Otherwise only what earlier looks saw
                tells, and what the workers say.
            thorough: list the whole stream, look into each shard and watch each counter, whatever
                tells of them; that takes seconds more.

        Raises:
            ConfigError: the checkpoints are another replica's.
            OperatorError, SourceError, PermissionDenied: KCL's tables cannot be read, or the source
                cannot be found; or the stream may not be read.
        """
        self.refuse_foreign()
        rows = self._read()
        due = unfinished(rows.leases)
        renewing, known = (set[str](), {}) if thorough else self._told(rows, due)
        stream = self._source()
        shards, looks, unseen = list[StreamShard](), known, None
        try:
            with ThreadPoolExecutor(1) as pool:
                listed = pool.submit(_shards, stream, rows.leases, whole=thorough)
                behind = stream.look_behind(row for row in due if row.shard not in known)
                shards = listed.result()
            looks = known | behind | stream.look_into(unleased(rows.leases, shards))
        except PermissionDenied:
            raise
        except OperatorError as error:
            # Throttled for long, it is worth no less to know who holds what, and how it ended.
            unseen = error
        if patient:
            rows = self._watch(rows, renewing)
        now = self._clock.now()
        owners = Owners(rows, self._pulses, self._task, now, renewing)
        views = join(rows.leases, shards, looks, owners.life, now)
        return self._sight(rows, views, owners, unseen, now)

    def refuse_foreign(self) -> None:
        """Refuse checkpoints of another replica, as every look does.

        Until they were found not to be: a table does not change hands while it is looked at.

        Raises:
            ConfigError: they are another's, or a table is none of KCL's.
            OperatorError, PermissionDenied: whose they are cannot be read.
        """
        if not self._ours:
            refuse_foreign(self._task, self._clock, self._wait)
            self._ours = True

    def _read(self) -> KclRows:
        rows = read_rows(self._client, self._names)
        self._pulses.read(pulses_of(rows), self._clock.elapsed())
        return rows

    def _told(self, rows: KclRows, due: list[Lease]) -> tuple[set[str], dict[str, Look]]:
        """What workers say of themselves: who renews each lease, and which shards are read here.

        Of a worker of this host that runs no more, what it said last does not count.
        """
        now, ended = self._clock.now(), {end.worker for end in last_endings(self._files)}
        beats = read_every(self._files.every_heartbeats(), now)
        looks = {row.shard: read_here(row, beats.get(row.shard), now) for row in due}
        known = {shard: look for shard, look in looks.items() if look}
        return coordinator.renewing(rows, self._task, now) - ended, known

    def _watch(self, rows: KclRows, renewing: set[str]) -> KclRows:
        deadline = self._clock.elapsed() + self._patience
        while self._undecided(rows.leases, renewing) and self._clock.elapsed() < deadline:
            self._wait(_POLL)
            rows = self._read()
        return rows

    def _undecided(self, leases: list[Lease], renewing: set[str]) -> bool:
        watched = (row for row in _owned(leases) if row.owner not in renewing)
        return any(self._pulses.moving(pulse(row)) is None for row in watched)

    def _source(self) -> Stream:
        if self._stream is None:
            arn = stream_arn(self._task)
            client = clients.streams(self._task.source)
            self._stream = Stream(client, arn, self._clock, self._wait)
        return self._stream

    def _sight(
        self,
        rows: KclRows,
        views: list[ShardView],
        owners: Owners,
        unseen: OperatorError | None,
        now: float,
    ) -> Sight:
        files = self._files
        endings = last_endings(files)
        live = self._living(rows, owners, endings, now)
        return Sight(
            task=self._task.name,
            found=bool(rows.leases),
            shards=views,
            live=live,
            leader=coordinator.leader(rows),
            unseen=unseen,
            heartbeats=read_every(files.every_heartbeats(), now),
            endings=endings,
            pauses=pauses_of(rows),
            dead_letters=_open_letters(files),
            gaps=_noted(files, open_gaps(files.gaps)),
            now=now,
            copying=_copying(rows),
            proof=self._proof(rows),
            switching=switch_of(own_among(rows.coordinator, SWITCH_KEY)),
            limit=limit_of(rows),
            throttled=[one for one in throttled_of(rows) if one.worker in live],
            events=events_of(rows),
        )

    def _proof(self, rows: KclRows) -> Standing | None:
        try:
            return standing_in(self._task, rows.coordinator)
        except OperatorError as error:
            # Whether it is of these tables cannot be told.
            return Standing(0, None, void=error.message.rstrip("."))

    def _living(
        self, rows: KclRows, owners: Owners, endings: list[Ending], now: float
    ) -> list[str]:
        lives = {
            worker.id: coordinator.fresh(worker, self._task, now)
            for worker in coordinator.workers(rows)
        }
        # The last report of one that runs no more on this host is as fresh; elsewhere it moves.
        for end in endings:
            if end.worker in lives and not self._pulses.moving(report_pulse(end.worker)):
                lives[end.worker] = False
        seen: dict[str, set[Life]] = {}
        for row in _owned(rows.leases):
            seen.setdefault(row.owner or "", set()).add(owners.life(row))
        # What a worker's leases show counts more than its report, which outlives it for a while.
        # KCL 1.x reports no workers: there an owner lives until its leases stand still.
        for owner, found in seen.items():
            if Life.UNWATCHED not in found or Life.ALIVE in found:
                lives[owner] = Life.ALIVE in found
            else:
                lives.setdefault(owner, True)
        return sorted(worker for worker, alive in lives.items() if alive)


def _copying(rows: KclRows) -> LiveMark | None:
    row = own_among(rows.coordinator, KEY)
    mark = live_mark_of(row) if row else None
    return mark if mark and mark.state is CopyState.BEGUN else None


def _shards(stream: Stream, leases: Sequence[Lease], *, whole: bool) -> list[StreamShard]:
    """The stream's shards; of a long list only those that the leases do not tell all about."""
    youngest = all_followed(leases) if len(leases) > SHORT_LIST and not whole else None
    if youngest:
        # What it leaves out is known if the list is in order, and holds all that is to be read.
        with suppress(SourceError):
            found = stream.shards(youngest)
            if {shard.id for shard in found}.issuperset(row.shard for row in unfinished(leases)):
                return found
    return stream.shards()


def _owned(leases: Iterable[Lease]) -> Iterator[Lease]:
    return (row for row in leases if row.owner and not row.ended)


def _open_letters(files: TaskFiles) -> int | None:
    """Of a queue, only those that it refused: SQS counts no more than approximately."""
    found = LetterFile(files.letter_file).letters()
    # Tasks may share a file; a replay settles its own task's alone.
    letters = (letter for letter in found if letter.task == files.task.name)
    if is_queue(files.dead_letters):
        return sum(1 for _ in letters) or None
    return _noted(files, letters)


def _noted(files: TaskFiles, notes: Iterable[object]) -> int | None:
    """How many notes there are; ``None`` when the task seems never to have run here."""
    return sum(1 for _ in notes) or (0 if files.workers.is_dir() else None)
