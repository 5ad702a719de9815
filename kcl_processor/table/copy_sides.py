"""Both sides of a copy as they are, and what an operator lets it ask of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, DestinationError, SourceError
from kcl_processor.launch import preflight
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.table.estimate import Capacity, capacity
from kcl_processor.table.estimate import rate as rate_of
from kcl_processor.table.export import Export, open_export
from kcl_processor.table.export_job import refuse_filtered
from kcl_processor.table.prepare import described_table
from kcl_processor.table.table_reader import Segment
from kcl_processor.transform.transform import Transform, digest_of


@dataclass(frozen=True)
class CopyOptions:
    """How to copy.

    Attributes:
        segments: ``None`` chooses by the table's size; a copy that goes on keeps its own.
        max_rcu, max_wcu: units a second, or a percentage of the provisioned capacity.
        force: copy although it takes longer than the stream keeps changes.
        to_empty_only: refuse a destination that holds items.
        restart: forget an earlier run.
        processes: how many share the work; ``None`` chooses by the host's cores.
        part: copy this part of the table; any host goes on with it.
        export: where an export of the source lies in S3, which is copied in its place.
        patience: seconds for which a live copy waits for a daemon that was started just now.
    """

    segments: int | None = None
    max_rcu: str | None = None
    max_wcu: str | None = None
    force: bool = False
    to_empty_only: bool = True
    restart: bool = False
    processes: int | None = None
    part: Segment | None = None
    export: str | None = None
    patience: float = 0.0


@dataclass(frozen=True)
class Tables:
    """Both sides as described, with what may be asked of them. Rates are units a second.

    Attributes:
        transform: the rules between them, if there are any; a plan knows of none.
        export: of the source, that is copied in its place.
    """

    source: dict[str, Any]
    destination: dict[str, Any]
    stream_arn: str
    read_limit: float | None
    write_limit: float | None
    read: Capacity
    write: Capacity
    transform: Transform | None = None
    export: Export | None = None

    @property
    def items(self) -> int:
        """How many there are to copy."""
        return self.export.items if self.export else int(self.source["ItemCount"])

    @property
    def bytes(self) -> int:
        """How much there is to copy."""
        return self.export.bytes if self.export else int(self.source["TableSizeBytes"])

    @property
    def identity(self) -> Identity:
        """What the checkpoints of a daemon between them belong to."""
        source, destination = map(Incarnation.of, (self.source, self.destination))
        return Identity(source, self.stream_arn, destination, digest_of(self.transform))

    @property
    def read_rate(self) -> float:
        if self.export:
            # An export is read of S3, and takes nothing of the table.
            return math.inf
        return min(self.read.read, self.read_limit or self.read.read)

    @property
    def write_rate(self) -> float:
        return min(self.write.write, self.write_limit or self.write.write)


def describe(task: Task, options: CopyOptions) -> Tables:
    """Check and describe both sides.

    Raises:
        SourceError, DestinationError, PermissionDenied: as :mod:`preflight`,
            :func:`open_export` and :func:`refuse_filtered` do.
        ConfigError: a limit makes no sense for its table; or an export's place names none.
    """
    facts = preflight.check_source(task.source)
    _, transform = preflight.check_destination(task, facts.keys, facts.table)
    source = preflight.describe(task.source, SourceError, "check the source")
    destination = preflight.describe(task.destination, DestinationError, "check the destination")
    export = open_export(task.source, options.export, facts.table) if options.export else None
    if export:
        refuse_filtered(task.source, export)
    tables = _tables(options, source, destination, facts.stream_arn)
    return replace(tables, transform=transform, export=export)


def describe_plan(task: Task, options: CopyOptions) -> Tables:
    """Describe both sides for a plan: a destination that is not there yet is like the source.

    Raises:
        SourceError, DestinationError, PermissionDenied: a side cannot be described.
        ConfigError: a limit makes no sense for its table.
    """
    source = preflight.describe(task.source, SourceError, "check the source")
    return _tables(options, source, described_table(task.destination) or source, "")


def _tables(
    options: CopyOptions, source: dict[str, Any], destination: dict[str, Any], stream_arn: str
) -> Tables:
    read, write = capacity(source), capacity(destination)
    return Tables(
        source,
        destination,
        stream_arn,
        limit("--max-rcu", options.max_rcu, read.read, provisioned=read.provisioned),
        limit("--max-wcu", options.max_wcu, write.write, provisioned=write.provisioned),
        read,
        write,
    )


def limit(option: str, given: str | None, units: float, *, provisioned: bool) -> float | None:
    """A limit in units a second.

    Raises:
        ConfigError: it is no number above 0, or a percentage of an on-demand table.
    """
    try:
        return rate_of(given, units, provisioned=provisioned)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}.", f"{option} 500, or {option} 50%") from error
