"""Taking a checkpoint table for a task, and refusing one that is another's.

Two replicas that share a checkpoint table would each skip what the other has read. A replica whose
destination was made anew would leave it without all that was read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import STOP, Side, Task
from kcl_processor.errors import (
    ConfigError,
    DestinationError,
    GapError,
    OperatorError,
    PermissionDenied,
    SourceError,
)
from kcl_processor.fleet.kcl_tables import refuse_other_tables, table_names
from kcl_processor.fleet.lease_changes import Item, set_aside
from kcl_processor.fleet.leases import lease, lease_rows, read_leases
from kcl_processor.fleet.running import StillRunning, refuse_running
from kcl_processor.fleet.stream import Stream, turned_on
from kcl_processor.launch.identity import (
    Claim,
    Identity,
    Likeness,
    foreign,
    read_claim,
    rename_or_adopt,
    write_claim,
)
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.preflight import stream_arn
from kcl_processor.state.gaps import Gap, note_gap, open_gaps
from kcl_processor.transform.transform import Transform, digest_of

Wait = Callable[[float], None]


def claim(files: TaskFiles, ours: Identity, clock: Clock, wait: Wait, *, adopt: bool) -> str:
    """Take a checkpoint table for a start, or make sure that it is taken already.

    With a stream that is gone, or if the table is adopted, leases of shards that the stream does
    not hold go, saved to a file: KCL would ask for them for ever.

    Args:
        files: the task's, for gaps that are passed and leases that go.
        adopt: take it over, whatever it was.

    Returns:
        the ARN of the stream to read: ours, or an older one of the source with changes left in it.

    Raises:
        ConfigError: as :func:`refuse`.
        GapError: as :func:`refuse`; or a gap cannot be noted.
        StillRunning: a worker lives, and leases cannot go, or it would go on by what it was started
            with: into the other table, or by the other rules.
        OperatorError: the same where nobody asked for it; a later start finds it ended.
    """
    task = files.task
    while True:
        found = read_claim(task)
        stream = _stream(task, ours.stream, clock, wait)
        if not adopt:
            refuse(task, found, ours, stream)
            if found and _is_unread(task, found, ours, clock, wait):
                return found.stream
        elif _lives_otherwise(found, ours):
            refuse_running(task, clock, wait)
        if adopt or (found and found.stream != ours.stream):
            strangers, _ = _told_apart(task, stream)
            if strangers and adopt:
                refuse_running(task, clock, wait)
            elif strangers:
                _await_fleet(task, clock, wait)
            _note_gaps(files, list(_gaps(found, ours, strangers, clock.now())))
            set_aside(files, strangers, clock.now())
        if write_claim(task, found, ours):
            return ours.stream


def claim_for_copy(task: Task, ours: Identity, clock: Clock, wait: Wait) -> None:
    """Take a checkpoint table for a copy: tables that were made anew are what it is for.

    Raises:
        ConfigError: it is another replica's, or may be.
    """
    while True:
        found = read_claim(task)
        refuse_other_replica(task, found, ours)
        if found is None:
            _refuse_strangers(task, _stream(task, ours.stream, clock, wait))
        if write_claim(task, found, ours):
            return


def refuse_other_replica(task: Task, found: Claim | None, ours: Identity) -> None:
    """Refuse a checkpoint table that is claimed for other tables.

    Raises:
        ConfigError: it is; both replicas are named.
    """
    if found and Likeness.OTHER in _likenesses(found, ours):
        raise foreign(task, found, ours)


def refuse(task: Task, found: Claim | None, ours: Identity, stream: Stream) -> None:
    """Refuse a checkpoint table that a start must not go on with.

    Args:
        stream: the source's.

    Raises:
        ConfigError: it is another replica's, or a table was made anew or the rules changed since.
        GapError: it is of an older stream of the source, and the task stops on gaps.
    """
    if found is None:
        # Whoever left leases and no claim knew of no rules.
        if _refuse_strangers(task, stream) and ours.rules:
            raise _other_rules(task)
        return
    refuse_other_replica(task, found, ours)
    tables = (ours.source, ours.destination)
    for (what, side, noted), now in zip(found.sides(task), tables, strict=True):
        if noted.likeness(now) is Likeness.MADE_ANEW:
            raise ConfigError(
                f"The {what} table {side} was made anew since the checkpoints of task {task.name} "
                f"were begun: it is {now}, and was {noted}. What they say is done is not.",
                f"kcl-processor copy --restart {task.name}; or, if it was filled otherwise, "
                f"kcl-processor run --adopt {task.name}, then "
                f"kcl-processor verify {task.name} --repair --delete-extra",
            )
    if found.rules != ours.rules:
        raise _other_rules(task)
    if found.stream != ours.stream and task.on_gap == STOP:
        raise GapError(
            f"The stream of {task.source} was turned off and on again: the checkpoints are of "
            f"{found.stream}, and the table's stream is {ours.stream}. What changed between the "
            f"last checkpoint and the new stream's start, {turned_on(ours.stream)}, is in neither.",
            f"kcl-processor run --adopt {task.name}, then "
            f"kcl-processor verify {task.name} --repair",
        )


def refuse_foreign(task: Task, clock: Clock, wait: Wait) -> None:
    """Refuse checkpoints of another replica, for whatever reads or changes them without a start.

    A table that is gone or cannot be described is told by its name, so that the rest of a replica
    can be looked at and cleared away.

    Raises:
        ConfigError: they are another's, or a table is none of KCL's.
    """
    refuse_other_tables(task)
    found = read_claim(task)
    if found is None:
        _refuse_unclaimed(task, clock, wait)
        return
    for _, side, noted in found.sides(task):
        table = _described(side)
        other = noted.likeness(table) is Likeness.OTHER if table else not noted.may_be(side)
        if other:
            raise foreign(task, found, f"{task.source} to {task.destination}")


def refuse_other_rules(task: Task, clock: Clock, wait: Wait) -> None:
    """Refuse to lay items by other rules than those of a daemon that lives, for whatever writes
    beside it. Where the rules are the same, nothing is watched.

    Raises:
        ConfigError: it lives, and would go on as it does; or a rule cannot be compiled or found.
    """
    found = read_claim(task)
    ours = digest_of(Transform(task.rules, {}, {}) if task.rules else None)
    if found is None or found.rules == ours:
        return
    try:
        refuse_running(task, clock, wait)
    except StillRunning as running:
        raise ConfigError(
            f"Task {task.name} runs by other rules than it has now, and would lay items otherwise: "
            f"{running.message}",
            f"stop the daemon on every host, then kcl-processor run --adopt {task.name}, and this "
            "again",
        ) from running


def _other_rules(task: Task) -> ConfigError:
    return ConfigError(
        f"The rules of task {task.name} are others than those by which the items of "
        f"{task.destination} were laid.",
        f"kcl-processor verify {task.name}, which says what the new ones would have otherwise; "
        f"then kcl-processor run --adopt {task.name}, and "
        f"kcl-processor verify {task.name} --repair --delete-extra. What this calls untraced "
        "stays as the old rules laid it; if that may not be, empty the destination, and "
        f"kcl-processor copy --restart {task.name}",
    )


def _lives_otherwise(found: Claim | None, ours: Identity) -> bool:
    """Whether a daemon that was started over these checkpoints, and lives, has other tables or
    rules than ours."""
    if found is None:
        return bool(ours.rules)
    alike = all(likeness is Likeness.SAME for likeness in _likenesses(found, ours))
    return not alike or found.rules != ours.rules


def _likenesses(found: Claim, ours: Identity) -> list[Likeness]:
    return [found.source.likeness(ours.source), found.destination.likeness(ours.destination)]


def _stream(task: Task, arn: str, clock: Clock, wait: Wait) -> Stream:
    return Stream(clients.streams(task.source), arn, clock, wait)


def _refuse_unclaimed(task: Task, clock: Clock, wait: Wait) -> None:
    try:
        stream = _stream(task, stream_arn(task), clock, wait)
        stream.shards()
    except OperatorError:
        return
    _refuse_strangers(task, stream)


def _refuse_strangers(task: Task, stream: Stream) -> bool:
    """Leases without a claim (the original library makes none) are told by their shards.

    Returns:
        whether there are any.
    """
    strangers, known = _told_apart(task, stream)
    if strangers and not known:
        raise ConfigError(
            f"The checkpoint table {task.kcl.application_name} holds {len(strangers)} leases, and "
            f"none is of a shard of {stream.arn}: they belong to another stream, or every one of "
            "their shards has left it.",
            rename_or_adopt(task),
        )
    return bool(known)


def _told_apart(task: Task, stream: Stream) -> tuple[list[Item], list[Item]]:
    """The rows of leases: those of no shard that the stream holds, and the others."""
    leases = lease_rows(clients.checkpoints(task), table_names(task).leases)
    shards = {shard.id for shard in stream.shards()} if leases else set()
    strangers = [row for row in leases if lease(row).shard not in shards]
    return strangers, [row for row in leases if row not in strangers]


def _gaps(found: Claim | None, ours: Identity, gone: list[Item], now: float) -> Iterator[Gap]:
    """The gaps that going on in one source without some leases leaves."""
    if found is None or found.source.likeness(ours.source) is not Likeness.SAME:
        return
    if found.stream != ours.stream:
        why = "the stream was turned off and on again"
        yield Gap(now, None, found.stream, None, turned_on(ours.stream), why)
        return
    why = "its shard left the stream before it was read to the end"
    for row in map(lease, gone):
        if not row.ended:
            yield Gap(now, row.shard, row.checkpoint, None, None, why)


def _is_unread(task: Task, found: Claim, ours: Identity, clock: Clock, wait: Wait) -> bool:
    """Whether anything is left in an older stream that was not read to its end.

    A shard without a lease is still to be read if it has no children; what was before them may
    have been passed at a first start.
    """
    if found.stream == ours.stream:
        return False
    try:
        shards = _stream(task, found.stream, clock, wait).shards()
    except (PermissionDenied, SourceError):
        # It is gone, or a policy names the new stream alone; the gap is noted all the same.
        return False
    leases = read_leases(clients.checkpoints(task), table_names(task))
    ended = {one.shard: one.ended for one in leases}
    parents = {shard.parent for shard in shards}
    return not all(ended.get(shard.id, shard.id in parents) for shard in shards)


def _await_fleet(task: Task, clock: Clock, wait: Wait) -> None:
    """Let a supervisor start again where the fleet is on its way from one stream to the next.

    Its workers end one by one, as each notices that the older stream is read, and come back one by
    one: the first finds others at the old stream, and they find it at the new one.
    """
    try:
        refuse_running(task, clock, wait)
    except StillRunning as running:
        raise OperatorError(
            f"{running.message} Its stream is another since, and each worker is to end first.",
            "start again in a moment, as a supervisor does",
        ) from running


def _note_gaps(files: TaskFiles, gaps: list[Gap]) -> None:
    """Those that the daemon has not noted before its last line. One that was settled since is noted
    anew: while the stream was off, more went missing after that."""
    noted = {(gap.shard, gap.checkpoint) for gap in open_gaps(files.gaps)}
    try:
        for gap in gaps:
            if (gap.shard, gap.checkpoint) not in noted:
                note_gap(files.gaps, gap)
    except OSError as error:
        raise GapError(
            f"A gap is to be passed and cannot be noted in {files.gaps}: {error.strerror}.",
            "make room there, or --state-dir with a folder of yours",
        ) from error


def _described(side: Side) -> Incarnation | None:
    try:
        found = clients.described(clients.tables(side), side.table, DestinationError, "")
    except OperatorError:
        return None
    return Incarnation.of(found) if found else None
