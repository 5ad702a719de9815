"""A task: one source table, one destination table, and how KCL runs between them."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from kcl_processor.config.access import DEFAULT, Access
from kcl_processor.config.form import Form, whole
from kcl_processor.errors import ConfigError
from kcl_processor.transform.rules import Rules

# The original library's name for the checkpoint table, kept so that an existing one is found.
APPLICATION_PREFIX = "DynamoDBCrossRegionReplication"

# KCL 3 names two more tables after the application.
COORDINATOR_SUFFIX = "-CoordinatorState"
WORKERS_SUFFIX = "-WorkerMetricStats"
# KCL's properties that name a table, and what follows the application's name without them.
NAMED_TABLES = MappingProxyType(
    {
        "coordinatorStateTableName": COORDINATOR_SUFFIX,
        "workerMetricsTableName": WORKERS_SUFFIX,
    }
)
_LONGEST_SUFFIX = max(NAMED_TABLES.values(), key=len)
_LONGEST_TABLE_NAME = 255

# A task's name and a worker's become names of files and words of a command line.
_TASK_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_WORKER_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}")


@dataclass(frozen=True)
class Side:
    """A table and the way to it. Region and endpoint are independent of each other."""

    region: str
    table: str
    endpoint: str | None = None
    access: Access = DEFAULT

    def __str__(self) -> str:
        return f"{self.table} in {self.region}"

    @property
    def aws_options(self) -> str:
        """What makes an ``aws dynamodb`` command mean this table and no other of its name."""
        endpoint = f" --endpoint-url {self.endpoint}" if self.endpoint else ""
        return f"--region {self.region}{endpoint} --table-name {self.table}"

    @property
    def place(self) -> tuple[str, str | None, str | None, str]:
        """Where the table is, as far as its spelling tells: region, endpoint, whose, name.

        Two that are equal are one table; one table may be spelled in more ways than one.
        """
        return self.region, self.endpoint, self.access.whose, self.table


@dataclass(frozen=True)
class Source(Side):
    """The table that is read, and its stream."""

    streams_endpoint: str | None = None
    stream_arn: str | None = None

    @property
    def streams_url(self) -> str | None:
        """The endpoint of the stream, if one was given.

        Without one of its own, the table's serves both: DynamoDB Local and other compatible stores
        do so, and it is what the original library does.
        """
        return self.streams_endpoint or self.endpoint


@dataclass(frozen=True)
class Kcl:
    """Where KCL keeps its tables, and what it is told."""

    region: str
    endpoint: str | None
    application_name: str
    worker_id: str
    properties: Mapping[str, str] = field(default_factory=dict)
    access: Access = DEFAULT

    def table(self, named_by: str) -> str:
        """The name of a table, by the property of :data:`NAMED_TABLES` that may give it one."""
        return self.properties.get(named_by, self.application_name + NAMED_TABLES[named_by])


@dataclass(frozen=True)
class Metrics:
    """Where figures go; a task publishes to CloudWatch unless told otherwise."""

    publish: bool = True
    region: str | None = None
    endpoint: str | None = None
    access: Access = DEFAULT


REGION = Form("the name of a region", re.compile(r"[A-Za-z0-9-]+"), example="us-east-1")
_PORT = r"[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
# A name and a password in it would stand in logs, and no request would carry them.
ENDPOINT = Form(
    "the URL of an endpoint",
    re.compile(rf"https?://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::(?:{_PORT}))?(?:/\S*)?", re.ASCII),
    example="http://localhost:8000",
)
STREAM_ARN = Form(
    "the ARN of a stream",
    re.compile(r"arn:[^:\s]+:dynamodb:[^:\s]*:[^:\s]*:table/[^/\s]+/stream/\S+"),
    example="arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-11-01T00:00:00.000",
)
# What these keys of a task may be; of words the first is the default.
BATCH_SIZE = whole(1, 1000)
CHECKPOINT_SECONDS = whole(1, 300)
# Below, a slow attempt at an endpoint would count as a silent shard.
UNREAD_SECONDS = whole(30, 3600)
# Where dead letters go.
_QUEUE = r"arn:[^:]+:sqs:[a-z0-9-]+:[0-9]+:[\w.-]+|https?://[^/\s]+/\S+"
QUEUE = Form("the URL or the ARN of an SQS queue", re.compile(_QUEUE))
LETTERS = Form(
    "the path of a file, or the URL or the ARN of an SQS queue",
    re.compile(rf"{_QUEUE}|(?!arn:|https?://).+"),
)
STOP = "stop"
ON_POISON = (STOP, "dead-letter")
CONTINUE, HEAL = "continue", "heal"
ON_GAP = (STOP, CONTINUE, HEAL)
# Where `heal` exports to; the rest of what S3 asks of a bucket's name is its own to say.
BUCKET = Form(
    "the name of an S3 bucket, and a prefix after a slash if it is to have one",
    re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/\S*)?"),
)
# No name begins as an ARN does (CloudWatch API reference, PutMetricAlarm: 1 to 255 characters).
ALARM = Form(
    "the name or the ARN of a CloudWatch alarm",
    re.compile(
        r"arn:[^:\s]+:cloudwatch:[A-Za-z0-9-]+:[0-9]*:alarm:\S(.{0,253}\S)?"
        r"|(?!arn:)\S(.{0,253}\S)?"
    ),
)
# In one line, as it stands in a .properties file and among a process' arguments.
COMMAND = Form("a command for the shell", re.compile(r"[^\0\r\n]*[^\0\s][^\0\r\n]*"))
SKIP = "skip"
TTL_DELETES = ("apply", SKIP)


@dataclass(frozen=True)
class ThrottleWhen:
    """While what holds a task lets nothing out: one of the two.

    Attributes:
        command: for the shell; it exits with 0 while it holds, as `test -e FILE` does for a file
            that is there, and with 1 while it does not.
        alarm: the name or the ARN of a CloudWatch alarm, which is in state ALARM while it holds.
    """

    command: str | None = None
    alarm: str | None = None

    def region(self, destination: Side) -> str:
        """Where the alarm is: as its ARN says, or where the destination is."""
        alarm = self.alarm or ""
        return alarm.split(":")[3] if alarm.startswith("arn:") else destination.region

    @property
    def alarm_name(self) -> str:
        """Its name, of an ARN, too."""
        alarm = self.alarm or ""
        return alarm.split(":", 6)[6] if alarm.startswith("arn:") else alarm


@dataclass(frozen=True)
class Task:
    """One replica. Everything a command needs to know about it."""

    name: str
    source: Source
    destination: Side
    kcl: Kcl
    metrics: Metrics = Metrics()
    batch_size: int = 1000
    checkpoint_seconds: int = 5
    on_poison: str = ON_POISON[0]
    dead_letters: str | None = None
    letters_access: Access = DEFAULT
    on_gap: str = ON_GAP[0]
    heal_bucket: str | None = None
    unread_seconds: int = 120
    ttl_deletes: str = TTL_DELETES[0]
    rules: Rules | None = None
    throttle_when: ThrottleWhen | None = None

    @property
    def is_ruled(self) -> bool:
        """Whether rules stand between both tables; that what TTL deletes stays is one."""
        return self.rules is not None or self.ttl_deletes == SKIP

    @property
    def metrics_region(self) -> str:
        """Where figures are published; KCL's region unless told otherwise."""
        return self.metrics.region or self.kcl.region


def default_task_name(source: Side, destination: Side) -> str:
    """The name of a task without one: the original's MD5 of regions and tables."""
    text = source.region + source.table + destination.region + destination.table
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def default_worker_id() -> str:
    """A name that this host keeps over restarts and shares with no other.

    A worker that comes back under its old name takes its leases back at once, instead of waiting
    for them to expire. Hosts may share a host name (``localhost``), hence the machine's own id.
    """
    host = re.sub(r"[^A-Za-z0-9_.-]", "-", platform.node()).lstrip(".-") or "worker"
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return host
    return f"{host}-{hashlib.sha256(machine.encode()).hexdigest()[:8]}"


def make_kcl(
    name: str,
    source: Source,
    *,
    region: str | None = None,
    endpoint: str | None = None,
    application_name: str | None = None,
    worker_id: str | None = None,
    properties: Mapping[str, str] | None = None,
    access: Access = DEFAULT,
) -> Kcl:
    """KCL's part of the task ``name``, with what was not given filled in.

    As in the original: without a region of its own, KCL lives beside the source table.
    """
    return Kcl(
        region=region or source.region,
        endpoint=endpoint or (None if region else source.endpoint),
        application_name=application_name or APPLICATION_PREFIX + name,
        worker_id=worker_id or default_worker_id(),
        properties=properties or {},
        access=access,
    )


def check_task(task: Task, where: str) -> Task:
    """Refuse a task that could not work, before anything is touched.

    Args:
        where: the file and line, or the command line, that errors name.

    Raises:
        ConfigError: says what is wrong and what to change.
    """
    _check_name(where, "a task's name", task.name, _TASK_NAME)
    _check_name(where, "a worker id", task.kcl.worker_id, _WORKER_ID)
    _check_application(where, task.kcl.application_name)
    _check_tables(where, task.kcl)
    if task.source.place == task.destination.place:
        raise ConfigError(
            f"{where}: source and destination are the same table, {task.source}.",
            "change the destination's table, region or endpoint",
        )
    _check_providers(where, task.kcl)
    return task


def with_worker(task: Task, worker_id: str, where: str) -> Task:
    """The task as another of its workers.

    Raises:
        ConfigError: the id could not be one.
    """
    return check_task(of_worker(task, worker_id), where)


def of_worker(task: Task, worker_id: str) -> Task:
    """The task as another of its workers, whose id is one already."""
    return replace(task, kcl=replace(task.kcl, worker_id=worker_id))


def _check_name(where: str, what: str, name: str, shape: re.Pattern[str]) -> None:
    if not shape.fullmatch(name):
        raise ConfigError(
            f"{where}: {name!r} cannot be {what}: it names files, so it holds only letters, "
            "digits, '_', '-' and '.', up to 200 of them, and begins with one of the first three.",
            f"call it {re.sub('[^A-Za-z0-9_.-]+', '-', name).strip('.-')[:200] or 'task-1'}",
        )


def _check_providers(where: str, kcl: Kcl) -> None:
    """KCL's own properties for credentials are for KCL alone: no tool knows what they name."""
    named = [name for name in kcl.properties if name.startswith("AwsCredentialsProvider")]
    if named and kcl.access != DEFAULT:
        raise ConfigError(
            f"{where}: kcl names its credentials twice, by {named[0]} and as {kcl.access}.",
            f"leave {named[0]} out of kcl.properties",
        )


def _check_application(where: str, application: str) -> None:
    longest = _LONGEST_TABLE_NAME - len(_LONGEST_SUFFIX)
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", application):
        raise ConfigError(
            f"{where}: the checkpoint table would be called {application!r}, and a table's name "
            "holds only letters, digits, '_', '-' and '.'.",
            "choose another task name, or set kcl.application_name",
        )
    if not 3 <= len(application) <= longest:
        raise ConfigError(
            f"{where}: the checkpoint table's name {application!r} has {len(application)} "
            f"characters; KCL needs 3 to {longest}, for it appends {_LONGEST_SUFFIX!r}.",
            "choose another task name, or set kcl.application_name",
        )


def _check_tables(where: str, kcl: Kcl) -> None:
    """KCL's three tables have different keys."""
    names = [kcl.application_name]
    for named_by in NAMED_TABLES:
        if kcl.table(named_by) in names:
            raise ConfigError(
                f"{where}: two of KCL's tables would be called {kcl.table(named_by)!r}.",
                f"another {named_by} in kcl.properties, or none",
            )
        names.append(kcl.table(named_by))
