"""What must be true before a task starts, and would otherwise fail late or in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kcl_processor.aws import clients, queues
from kcl_processor.aws.clients import CredentialsRefused
from kcl_processor.aws.codes import UNKNOWN_OPERATION, code_of
from kcl_processor.clock import Clock
from kcl_processor.config.paths import queue_of
from kcl_processor.config.task import STOP, Side, Source, Task
from kcl_processor.errors import (
    ConfigError,
    DestinationError,
    OperatorError,
    PermissionDenied,
    SourceError,
)
from kcl_processor.fleet.stream import STREAM_HINT
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform

# A stream must show whole new items. NEW_IMAGE alone would do for replication; the original asks
# for both, and verification by sequence needs the old one, so a task keeps asking for both.
VIEW = "NEW_AND_OLD_IMAGES"


@dataclass(frozen=True)
class SourceFacts:
    """The source as found.

    Attributes:
        keys: key attribute name to ``(HASH or RANGE, S or N or B)``.
    """

    table: Incarnation
    stream_arn: str
    keys: dict[str, tuple[str, str]]


class StreamOff(SourceError):
    """The source table is there, and its stream is off."""


def check_source(source: Source) -> SourceFacts:
    """Find the source table and its stream.

    Raises:
        SourceError: there is no such table, or its stream cannot be replicated from.
        PermissionDenied: a call is denied.
    """
    table = describe(source, SourceError, "name the source table and its region as they are")
    stream_on = (
        f"aws dynamodb update-table {source.aws_options} "
        f"--stream-specification StreamEnabled=true,StreamViewType={VIEW}"
    )
    specification = table.get("StreamSpecification") or {}
    arn = table.get("LatestStreamArn")
    if not specification.get("StreamEnabled") or not arn:
        refuse_streamless(source)
        raise StreamOff(
            f"The stream of source table {source} is off.", f"kcl-processor prepare, or {stream_on}"
        )
    view = specification.get("StreamViewType")
    if view != VIEW:
        raise SourceError(
            f"The stream of source table {source} shows {view}; a replica needs {VIEW}. "
            "A stream's view cannot be changed: it is turned off, and a new one on.",
            f"after turning the stream off, {stream_on}",
        )
    if source.stream_arn and source.stream_arn != arn:
        raise SourceError(
            f"The task names the stream {source.stream_arn}, and the source table's is {arn}: "
            "the stream was turned off and on again, and changes in between are in neither.",
            "set source.stream_arn to the new one, then copy the table, or verify and repair",
        )
    _check_stream(source, arn)
    return SourceFacts(Incarnation.of(table), arn, key_schema(table))


def refuse_streamless(source: Source) -> None:
    """Refuse a source whose service has no streams at all, as some implementations have none.

    AWS has them, and is not asked; any other answer than that the operation is unknown tells
    nothing.

    Raises:
        SourceError: it has none.
    """
    if source.streams_url is None:
        return
    try:
        clients.streams(source).list_streams(TableName=source.table)
    except ClientError as failure:
        if code_of(failure.response) == UNKNOWN_OPERATION:
            raise SourceError(
                f"The service at {source.streams_url} has no streams: what stands there can be "
                "replicated to, but not from.",
                "another source, or source.streams_endpoint where its stream is served elsewhere",
            ) from failure
    except BotoCoreError:
        pass


def check_destination(
    task: Task, keys: dict[str, tuple[str, str]], source: Incarnation
) -> tuple[Incarnation, Transform | None]:
    """Find the destination table, which is another than the source, with the source's keys or
    those that the task's rules make. Return it with the rules between both; ``None`` are no rules.

    Raises:
        ConfigError: it is the source table, or no item of it can come from the rules.
        DestinationError: there is no such table, or its keys differ.
        PermissionDenied: a call is denied.
    """
    destination = task.destination
    hint = "kcl-processor prepare creates it like the source"
    table = describe(destination, DestinationError, hint)
    found = refuse_source(destination, Incarnation.of(table), source)
    if table.get("TableStatus") not in ("ACTIVE", "UPDATING"):
        raise DestinationError(
            f"The destination table {destination} is {table.get('TableStatus')}.",
            f"aws dynamodb wait table-exists {destination.aws_options}",
        )
    theirs = key_schema(table)
    if task.rules is None and theirs != keys:
        raise DestinationError(
            f"The keys of destination table {destination} are {_words(theirs)}, "
            f"those of the source {_words(keys)}.",
            "name another destination, or create it with the source's keys",
        )
    if not task.is_ruled:
        return found, None
    transform = Transform(task.rules or Rules(), key_types(keys), key_types(theirs))
    transform.refuse_impossible()
    return found, transform


def refuse_source(destination: Side, found: Incarnation, source: Incarnation) -> Incarnation:
    """Refuse a destination that is the source, however it is spelled; give it back otherwise.

    Raises:
        ConfigError: it is: each old change would be written over newer ones.
    """
    if found.is_table(source):
        raise ConfigError(
            f"The destination {destination} is the source table itself: {found}.",
            "change the destination's table, region, endpoint or role",
        )
    return found


class QueueUnseen(PermissionDenied):
    """The queue of dead letters may be as it should: whoever puts letters there need not see it."""


def check_queue(task: Task, place: str) -> int:
    """Find the queue of a task's dead letters. No letter is sent and none is taken out, so whether
    that is allowed is not seen.

    Returns:
        the seconds for which it keeps a letter.

    Raises:
        ConfigError: there is no such queue, or it takes no letter.
        QueueUnseen: its attributes are not for these credentials.
        OperatorError: as :func:`queues.open_queue`.
    """
    # The name of a FIFO queue has this ending, and no other's has (SQS developer guide).
    if place.rstrip("/").endswith(".fifo"):
        raise ConfigError(
            f"The queue of dead letters {place} is a FIFO queue: it takes no message that is of no "
            "group, as letters are.",
            "dead_letters with a standard queue",
        )
    url, client = queues.open_queue(place, task.destination.region, task.letters_access)
    attribute, on = "MessageRetentionPeriod", queues.in_words(place)
    try:
        with clients.calling("sqs:GetQueueAttributes", on, ConfigError, queues.QUEUE_HINT):
            found = client.get_queue_attributes(QueueUrl=url, AttributeNames=[attribute])
    except CredentialsRefused:
        raise
    except PermissionDenied as denied:
        raise QueueUnseen(denied.message, denied.hint) from denied
    return int(found["Attributes"].get(attribute, 0))


def refuse_queue(task: Task, tell: Callable[[str], None]) -> None:
    """Refuse a queue that would take none of the letters that a start may come to put there.

    Args:
        tell: takes one line, where the queue cannot be seen.

    Raises:
        OperatorError: as :func:`check_queue`.
    """
    place = queue_of(task)
    if place is None or task.on_poison == STOP:
        return
    try:
        check_queue(task, place)
    except QueueUnseen as unseen:
        tell(f"{unseen.message} Whether the queue is there is found out at the first letter.")


def clock_skew(side: Side, clock: Clock) -> float | None:
    """Seconds this host's clock is ahead of the service's; ``None`` if that tells no time."""
    hint = "name the source table as it is"
    with clients.calling("dynamodb:DescribeTable", f"table {side}", SourceError, hint):
        answer = clients.tables(side).describe_table(TableName=side.table)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return clock.now() - parsedate_to_datetime(date).timestamp() if date else None


def describe(side: Side, error: type[OperatorError], hint: str) -> dict[str, Any]:
    """DescribeTable of one side, or the error that says why not."""
    with clients.calling("dynamodb:DescribeTable", f"table {side}", error, hint):
        described = clients.tables(side).describe_table(TableName=side.table)
    table: dict[str, Any] = described["Table"]
    return table


def stream_arn(task: Task) -> str:
    """The stream that a task names, or else the one that its source table has now.

    Raises:
        SourceError: the stream is off, or the table cannot be described.
        PermissionDenied: a call is denied.
    """
    if task.source.stream_arn:
        return task.source.stream_arn
    table = describe(task.source, SourceError, "name the source table as it is")
    arn = table.get("LatestStreamArn")
    if not arn:
        raise SourceError(
            f"The stream of source table {task.source} is off.", f"kcl-processor doctor {task.name}"
        )
    return str(arn)


def key_schema(table: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Key attribute names of a described table, with their role and type."""
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    return {
        key["AttributeName"]: (key["KeyType"], types[key["AttributeName"]])
        for key in table["KeySchema"]
    }


def key_types(keys: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Key attribute names with their type alone."""
    return {name: kind for name, (_, kind) in keys.items()}


def _check_stream(source: Source, arn: str) -> None:
    with clients.calling("dynamodb:DescribeStream", f"stream {arn}", SourceError, STREAM_HINT):
        clients.streams(source).describe_stream(StreamArn=arn, Limit=1)


def _words(keys: dict[str, tuple[str, str]]) -> str:
    return ", ".join(f"{name} {kind} {role}" for name, (role, kind) in keys.items())
