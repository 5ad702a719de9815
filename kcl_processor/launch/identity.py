"""Whose checkpoints a checkpoint table holds.

Two replicas that share a checkpoint table would each skip what the other has read. So the first
start writes down, beside KCL's own state, which stream is read and which table written, and every
later start compares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, GapError, OperatorError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import read_rows
from kcl_processor.fleet.stream import Stream
from kcl_processor.launch.preflight import SourceFacts
from kcl_processor.state.gaps import Gap, note_gap

# KCL reads its own keys of the coordinator state table by name and passes over others.
_KEY = {"key": {"S": "KclProcessorReplica"}}
_ADOPT = "kcl-processor run --adopt, if these checkpoints are this task's all the same"


@dataclass(frozen=True)
class Identity:
    """What a task's checkpoints belong to."""

    source_table: str
    stream: str
    destination: str

    @classmethod
    def found(cls, facts: SourceFacts, destination_arn: str) -> Identity:
        """A task's, from its tables as they are."""
        return cls(facts.table.arn, facts.stream_arn, destination_arn)

    def __str__(self) -> str:
        return f"{self.stream} to {self.destination}"


def claim(
    files: TaskFiles,
    ours: Identity,
    clock: Clock,
    wait: Callable[[float], None],
    *,
    adopt: bool,
) -> None:
    """Write down whose the checkpoint table is, or make sure that it is ours.

    Args:
        files: the task's, for a gap that is passed.
        adopt: take the table over, whatever it says.

    Raises:
        ConfigError: it belongs to another source or destination; both are named.
        GapError: it belongs to an older stream of the source, and the task stops on gaps.
    """
    task = files.task
    client, table = clients.checkpoints(task), table_names(task).coordinator
    with clients.calling("dynamodb:GetItem", f"table {table}", OperatorError, "check kcl.endpoint"):
        item = client.get_item(TableName=table, Key=_KEY, ConsistentRead=True).get("Item")
    if item:
        gap = _gap(task, _from_item(item), ours, clock.now(), adopt=adopt)
        if gap:
            _note(files.gaps, gap)
    elif not adopt:
        _refuse_foreign_leases(task, Stream(clients.streams(task.source), ours.stream, clock, wait))
    with clients.calling("dynamodb:PutItem", f"table {table}", OperatorError, "check kcl.endpoint"):
        client.put_item(TableName=table, Item=_item(ours))


def _gap(task: Task, found: Identity, ours: Identity, now: float, *, adopt: bool) -> Gap | None:
    """The gap that going on with another stream of the same table leaves, if it is one."""
    if found == ours:
        return None
    if (found.source_table, found.destination) != (ours.source_table, ours.destination):
        if adopt:
            return None
        raise ConfigError(
            f"The checkpoint table {task.kcl.application_name} belongs to the replica {found}, "
            f"and this task is {ours}.",
            f"give the task another name; or {_ADOPT}",
        )
    start = _start(ours.stream)
    if task.on_gap == "stop" and not adopt:
        raise GapError(
            f"The stream of {task.source} was turned off and on again: the checkpoints are of "
            f"{found.stream}, and the table's stream is {ours.stream}. What changed between the "
            f"last checkpoint and the new stream's start, {start}, is in neither.",
            f"kcl-processor run --adopt, then kcl-processor verify {task.name} --repair",
        )
    return Gap(now, None, found.stream, None, start, "the stream was turned off and on again")


def _note(path: Path, gap: Gap) -> None:
    try:
        note_gap(path, gap)
    except OSError as error:
        raise GapError(
            f"A gap is to be passed and cannot be noted in {path}: {error.strerror}.",
            "make room there, or --state-dir with a folder of yours",
        ) from error


def _start(stream: str) -> str:
    """When a stream was turned on: its label, the last part of its ARN, is that time in UTC."""
    return stream.rpartition("/")[2] + "Z"


def _refuse_foreign_leases(task: Task, stream: Stream) -> None:
    """Accept leases without an identity (the original library writes none) by their shards."""
    leases = read_rows(clients.checkpoints(task), table_names(task)).leases
    if leases and not {lease.shard for lease in leases} & {shard.id for shard in stream.shards()}:
        raise ConfigError(
            f"The checkpoint table {task.kcl.application_name} holds {len(leases)} leases, and "
            f"none is of a shard of {stream.arn}: they belong to another stream, or every one of "
            "their shards has left it.",
            f"give the task another name; or {_ADOPT}",
        )


def _item(ours: Identity) -> dict[str, Any]:
    return {
        **_KEY,
        "sourceTable": {"S": ours.source_table},
        "stream": {"S": ours.stream},
        "destination": {"S": ours.destination},
    }


def _from_item(item: dict[str, Any]) -> Identity:
    return Identity(item["sourceTable"]["S"], item["stream"]["S"], item["destination"]["S"])
