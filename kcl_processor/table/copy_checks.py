"""What must be true before a copy starts or goes on. Every refusal comes before any write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from kcl_processor.aws import clients
from kcl_processor.config.task import Source, Task
from kcl_processor.errors import ConfigError, DestinationError, SourceError
from kcl_processor.fleet.stream import HOUR, RETENTION
from kcl_processor.launch.copy_mark import anew
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.estimate import REFUSE_HOURS, RULES_UNCOUNTED, Estimate
from kcl_processor.table.export import Export

# An eventually consistent read may miss what was written within about a second before it. A
# stream must have been on for longer than that, or a change could be in neither.
SETTLED_SECONDS = 5.0


def await_stream(source: Source, arn: str, now: float, wait: Callable[[float], None]) -> None:
    """Wait until every change that a scan could miss is in the stream.

    Raises:
        SourceError: the stream is not on.
    """
    created = _created(source, arn)
    age = now - created if created else 0.0
    if age < SETTLED_SECONDS:
        wait(min(SETTLED_SECONDS, SETTLED_SECONDS - age))


def _created(source: Source, arn: str) -> float | None:
    """When a stream was turned on, if the service says so.

    Raises:
        SourceError: it is not on.
    """
    hint = "kcl-processor prepare turns the stream on"
    with clients.calling("dynamodb:DescribeStream", f"stream {arn}", SourceError, hint):
        stream = clients.streams(source).describe_stream(StreamArn=arn, Limit=1)
    described = stream["StreamDescription"]
    if described["StreamStatus"] != "ENABLED":
        raise SourceError(
            f"The stream of source table {source} is {described['StreamStatus']}.", hint
        )
    created: dt.datetime | None = described.get("CreationRequestDateTime")
    return created.timestamp() if created else None


def refuse_late_stream(source: Source, arn: str, export: Export) -> None:
    """Refuse an export that is older than the stream: what changed between them would be nowhere.

    Raises:
        SourceError: it is, or the stream is not on.
    """
    created = _created(source, arn)
    if created is None or created + SETTLED_SECONDS <= export.time:
        return
    at, on = (dt.datetime.fromtimestamp(one, dt.UTC) for one in (export.time, created))
    raise SourceError(
        f"The export {export.url} is of {at:%Y-%m-%d %H:%M:%S} UTC, and the stream of {source} is "
        f"on since {on:%Y-%m-%d %H:%M:%S} UTC: what changed between them is in neither.",
        "export the table again: the stream is on now",
    )


def holds_items(task: Task) -> bool:
    """Whether a destination holds an item.

    Raises:
        DestinationError, PermissionDenied: it cannot be scanned.
    """
    destination = task.destination
    with clients.calling("dynamodb:Scan", f"table {destination}", DestinationError, "try again"):
        pages = (
            clients.tables(destination)
            .get_paginator("scan")
            .paginate(TableName=destination.table, ConsistentRead=True, Limit=1)
        )
        return any(page["Count"] for page in pages)


def refuse_items(task: Task) -> None:
    """Refuse a destination that holds an item.

    Raises:
        DestinationError: it does.
    """
    if holds_items(task):
        raise DestinationError(
            f"The destination table {task.destination} holds items, which a copy would "
            "overwrite, and those that the source lacks would stay.",
            f"{anew(task)}, and after it kcl-processor verify --repair --delete-extra {task.name}",
        )


def refuse_slow(estimate: Estimate, *, ruled: bool = False, passed: float = 0.0) -> None:
    """Refuse a copy that would outlast what the stream keeps.

    Args:
        ruled: rules may leave less to write than the estimate counts.
        passed: seconds since the moment whose items are copied.

    Raises:
        ConfigError: it is estimated at more than 20 hours.
    """
    hours = (passed + estimate.seconds) / HOUR
    if hours <= REFUSE_HOURS:
        return
    writing = estimate.write_seconds >= estimate.read_seconds
    what = "write capacity of the destination" if writing else "read capacity of the source"
    need = estimate.seconds / HOUR / max(1.0, REFUSE_HOURS - passed / HOUR)
    since = f" from the export's time {passed / HOUR:.1f} h ago" if passed else ""
    raise ConfigError(
        f"The copy would take about {hours:.1f} h{since}, and the stream keeps "
        f"{RETENTION / HOUR:.0f} h: changes made meanwhile would be lost. The {what} decides."
        f"{RULES_UNCOUNTED if ruled else ''}",
        f"raise the {what} or its limit {need:.1f} times, or see kcl-processor copy "
        "--plan for the managed way; --force goes on (for a source that nobody writes to)",
    )


def refuse_other(task: Task, progress: CopyProgress, ours: Identity) -> None:
    """Refuse to go on with a copy of other tables than it began with, or by other rules.

    Raises:
        ConfigError: a table, or the stream, was made anew since; or the rules have changed.
    """
    for what, before, found in (
        (f"source table {task.source}", progress.source, ours.source),
        (f"destination table {task.destination}", progress.destination, ours.destination),
    ):
        if not Incarnation.read(before).is_table(found):
            restart = f"kcl-processor copy --restart {task.name} begins anew"
            raise _not_the_one(what, before, str(found), restart)
    refuse_other_rules(task, progress.rules, ours)
    if progress.stream_arn != ours.stream:
        # What was copied is there, and what changed until the other one was turned on is nowhere.
        what, restart = f"stream of {task.source}", f"{anew(task)} begins anew"
        raise _not_the_one(what, progress.stream_arn, ours.stream, restart)


def refuse_other_rules(task: Task, before: str, ours: Identity) -> None:
    """Refuse to go on with a copy by other rules than it began with.

    Args:
        before: the digest of these.

    Raises:
        ConfigError: the rules have changed.
    """
    if before == ours.rules:
        return
    raise ConfigError(
        f"The rules of task {task.name} are others than those that this copy was begun with: what "
        "it has copied would be laid otherwise now.",
        f"{anew(task)}, and after it kcl-processor verify --repair --delete-extra {task.name}; or "
        "the rules as they were",
    )


def refuse_other_export(task: Task, before: str, export: Export | None) -> None:
    """Refuse to go on with a copy of another export than it began with, or of the table itself.

    Args:
        before: the export's ARN; empty for the table itself.

    Raises:
        ConfigError: it is another.
    """
    if before == (export.arn if export else ""):
        return
    ours = f"export {export.arn}" if export else "the table itself"
    began = f"--from-export with the place of {before}" if before else "without --from-export"
    raise ConfigError(
        f"The copy of task {task.name} was begun of "
        f"{f'export {before}' if before else 'the table itself'}, and this is {ours}.",
        f"kcl-processor copy {task.name}, {began}, goes on with it; {anew(task)} begins anew",
    )


def _not_the_one(what: str, before: str, found: str, hint: str) -> ConfigError:
    return ConfigError(
        f"The {what} is not the one that this copy began with: {found}, where it was {before}.",
        hint,
    )
