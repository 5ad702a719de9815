"""A task to the ``.properties`` that KCL, the launcher and the record processors read."""

from __future__ import annotations

import json
from pathlib import Path

import javaproperties
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from kcl_processor import __version__
from kcl_processor.config.kcl_properties import DEFAULTS
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.service_models import share_models
from kcl_processor.config.task import CONTINUE, STOP, Task, ThrottleWhen
from kcl_processor.errors import ConfigError
from kcl_processor.transform.transform import Transform

# Requests to the destination that one shard, or a copy, may have under way at once.
CONNECTIONS = 64
# The launcher's default chain, which reads renewed files; the SDK's own does not.
_CREDENTIALS = "io.github.kclprocessor.launcher.FollowedCredentials"
# Seconds without any progress after which a record processor ends itself.
_WATCHDOG_SECONDS = 300


def render(
    files: TaskFiles, stream_arn: str, path: Path, origin: str, transform: Transform | None = None
) -> str:
    """The text of a task's ``.properties``.

    Args:
        files: the task's, for its lock, dead letters, gaps and figures.
        stream_arn: the source stream's ARN as the source itself gives it.
        path: where the text will be; the record processors are told to read it there.
        origin: what the file was rendered from, for its first line.
        transform: the task's rules between both tables, if it has any.
    """
    task = files.task
    parts = [
        f"# Rendered from {origin} by kcl-processor {__version__}. Edit that, not this.",
        *_part("What reads each shard: forked, or without a fork server started", _child(path)),
        *_part("KCL: names, tables, timing", _kcl(task, stream_arn)),
        *_part("This host", {"replica.lock": str(files.lock)}),
        *_part("The source", _source(task)),
        *_part("The destination", _destination(task)),
        *(_part("Rules", _rules(task, transform)) if transform else ()),
        *(_part("Throttle", _throttle(task, when)) if (when := task.throttle_when) else ()),
        *_part("Failures", _failures(files)),
        *_part("Figures", _figures(files)),
    ]
    return "\n".join(parts) + "\n"


def endpoint(service: str, region: str, given: str | None) -> str:
    """The endpoint's URL, by the AWS SDK's endpoint rules where the task names none.

    Raises:
        ConfigError: the SDK does not tell, for a setting that it cannot use.
    """
    if given:
        return given
    try:
        # Nothing is called, so neither handlers nor credentials are needed.
        session = Session(include_builtin_handlers=False)
        share_models(session)
        client = session.create_client(
            service, region_name=region, aws_access_key_id="-", aws_secret_access_key="-"
        )
    # Of a URL and of a number botocore says no more than ValueError.
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(
            f"The endpoint of {service} in {region} is not to be had: {error}.",
            "mend the AWS setting, or unset it",
        ) from error
    return str(client.meta.endpoint_url)


def _part(title: str, properties: dict[str, str]) -> list[str]:
    return ["", f"# {title}", *(_line(name, value) for name, value in properties.items())]


def _line(name: str, value: str) -> str:
    # A colon needs its escape in a name only; without it ARNs and URLs can be read and copied.
    return javaproperties.join_key_value(name, value, separator=" = ").replace("\\:", ":")


def _child(path: Path) -> dict[str, str]:
    return {
        "executableName": f"kcl-processor-child {path}",
        # Instead of starting that program for each shard, the launcher has this one forked.
        "replica.forkServer": f"kcl-processor-fork-server {path}",
        "processingLanguage": "python",
        "callProcessRecordsEvenForEmptyRecordList": "true",
    }


def _kcl(task: Task, stream_arn: str) -> dict[str, str]:
    properties = {
        "applicationName": task.kcl.application_name,
        "streamName": stream_arn,
        "workerId": task.kcl.worker_id,
        "regionName": task.kcl.region,
        # Only a first start looks at it. LATEST would lose the first records of each new shard.
        "initialPositionInStream": "TRIM_HORIZON",
        "maxRecords": str(task.batch_size),
        "AwsCredentialsProvider": _CREDENTIALS,
    }
    if task.kcl.endpoint:
        properties["dynamoDBEndpoint"] = task.kcl.endpoint
    access = task.kcl.access.properties("kcl")
    return {**properties, **access, **DEFAULTS, **task.kcl.properties}


def _source(task: Task) -> dict[str, str]:
    source = task.source
    return {
        "replica.task": task.name,
        "replica.source.table": source.table,
        "replica.source.region": source.region,
        **_given("replica.source.streamsEndpoint", source.streams_url),
        **source.access.properties("source"),
    }


def _destination(task: Task) -> dict[str, str]:
    destination = task.destination
    return {
        "replica.destination.table": destination.table,
        "replica.destination.region": destination.region,
        "replica.destination.endpoint": endpoint(
            "dynamodb", destination.region, destination.endpoint
        ),
        **destination.access.properties("destination"),
        "replica.connections": str(CONNECTIONS),
        "replica.checkpointSeconds": str(task.checkpoint_seconds),
    }


def _rules(task: Task, transform: Transform) -> dict[str, str]:
    return {
        "replica.rules": transform.rules.text(),
        "replica.rulesDigest": transform.digest(),
        "replica.source.keys": json.dumps(transform.source_keys),
        "replica.destination.keys": json.dumps(transform.destination_keys),
        "replica.oldImages": "true" if transform.needs_old else "false",
        "replica.ttlDeletes": task.ttl_deletes,
    }


def _throttle(task: Task, when: ThrottleWhen) -> dict[str, str]:
    if when.command:
        return {"replica.throttle.command": when.command}
    return {
        "replica.throttle.region": when.region(task.destination),
        **_given("replica.throttle.alarm", when.alarm),
    }


def _failures(files: TaskFiles) -> dict[str, str]:
    return {
        "replica.watchdogSeconds": str(_WATCHDOG_SECONDS),
        "replica.unreadSeconds": str(files.task.unread_seconds),
        "replica.onPoison": files.task.on_poison,
        "replica.deadLetters": files.dead_letters,
        **files.task.letters_access.properties("deadLetters"),
        "replica.letterFile": str(files.letter_file),
        # Whoever heals runs beside the daemon, which goes on.
        "replica.onGap": STOP if files.task.on_gap == STOP else CONTINUE,
        "replica.gapFile": str(files.gaps),
        "replica.endingFile": str(files.ending),
    }


def _figures(files: TaskFiles) -> dict[str, str]:
    task = files.task
    return {
        "replica.metrics.publish": "true" if task.metrics.publish else "false",
        "replica.metrics.region": task.metrics_region,
        "replica.metrics.endpoint": endpoint(
            "cloudwatch", task.metrics_region, task.metrics.endpoint
        ),
        **task.metrics.access.properties("metrics"),
        "replica.heartbeats": str(files.heartbeats),
    }


def _given(name: str, value: str | None) -> dict[str, str]:
    return {name: value} if value else {}
