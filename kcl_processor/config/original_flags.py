"""The original library's command line, so that an existing one keeps working."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from kcl_processor.config.form import number, text
from kcl_processor.config.kcl_properties import DEFAULTS, SETTABLE
from kcl_processor.config.task import (
    APPLICATION_PREFIX,
    BATCH_SIZE,
    ENDPOINT,
    REGION,
    Metrics,
    Side,
    Source,
    Task,
    check_task,
    default_task_name,
    make_kcl,
)
from kcl_processor.errors import ConfigError

_PARENT_POLL = "parentShardPollIntervalMillis"
_REQUIRED = ("sourceRegion", "sourceTable", "destinationRegion", "destinationTable")

_TEXTS = {
    "sourceRegion": ("REGION", "region of the source table"),
    "sourceTable": ("TABLE", "name of the source table"),
    "sourceEndpoint": ("URL", "DynamoDB endpoint of the source table"),
    "sourceStreamsEndpoint": (
        "URL",
        "DynamoDB Streams endpoint of the source table (default: --sourceEndpoint)",
    ),
    "destinationRegion": ("REGION", "region of the destination table"),
    "destinationTable": ("TABLE", "name of the destination table"),
    "destinationEndpoint": ("URL", "DynamoDB endpoint of the destination table"),
    "kclRegion": ("REGION", "region of the checkpoint table (default: the source's)"),
    "kclEndpoint": ("URL", "DynamoDB endpoint of the checkpoint table"),
    "taskName": (
        "NAME",
        f"names the checkpoint table, {APPLICATION_PREFIX}NAME "
        "(default: MD5 of both regions and tables)",
    ),
    "workerId": ("ID", "this worker's name in the checkpoint table (default: the host's)"),
}
_FORMS: dict[str, Callable[[str], str]] = {"REGION": text(REGION), "URL": text(ENDPOINT)}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the original's flags, in its spelling."""
    group = parser.add_argument_group("a task without a file: the original library's flags")
    for name, (metavar, words) in _TEXTS.items():
        group.add_argument(f"--{name}", metavar=metavar, type=_FORMS.get(metavar, str), help=words)
    group.add_argument(
        "--dontPublishCloudwatch",
        action="store_true",
        help="publish no CloudWatch metrics, neither KCL's nor ours",
    )
    group.add_argument(
        "--batchSize",
        metavar="N",
        type=number(BATCH_SIZE),
        help=f"records to ask for in each GetRecords call, 1 to 1000 (default: {Task.batch_size})",
    )
    group.add_argument(
        f"--{_PARENT_POLL}",
        metavar="N",
        type=number(SETTABLE[_PARENT_POLL]),
        help="how often to look whether parent shards are done "
        f"(default: {DEFAULTS[_PARENT_POLL]})",
    )


def given_flags(args: argparse.Namespace) -> list[str]:
    """The flags of a task that were given, except ``--workerId``, which a file's task takes too."""
    names = [*_TEXTS, "dontPublishCloudwatch", "batchSize", _PARENT_POLL]
    return [f"--{name}" for name in names if name != "workerId" and getattr(args, name)]


def task_from_flags(args: argparse.Namespace) -> Task:
    """The task that the flags describe.

    Raises:
        ConfigError: a required flag is missing, or the task could not work.
    """
    missing = [f"--{name}" for name in _REQUIRED if not getattr(args, name)]
    if missing:
        raise ConfigError(
            f"A task from flags lacks {', '.join(missing)}.",
            "give the missing flags, or name a file with -c FILE",
        )
    source = Source(
        args.sourceRegion,
        args.sourceTable,
        args.sourceEndpoint,
        streams_endpoint=args.sourceStreamsEndpoint,
    )
    destination = Side(args.destinationRegion, args.destinationTable, args.destinationEndpoint)
    poll = args.parentShardPollIntervalMillis
    name = args.taskName or default_task_name(source, destination)
    task = Task(
        name=name,
        source=source,
        destination=destination,
        kcl=make_kcl(
            name,
            source,
            region=args.kclRegion,
            endpoint=args.kclEndpoint,
            worker_id=args.workerId,
            properties={_PARENT_POLL: str(poll)} if poll else {},
        ),
        metrics=Metrics(publish=not args.dontPublishCloudwatch),
        batch_size=args.batchSize or Task.batch_size,
    )
    return check_task(task, "command line")
