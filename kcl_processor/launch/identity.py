"""Whose checkpoints a checkpoint table holds.

Checkpoints say that what came before them is at the destination. That is true of one stream and of
two tables, each from its creation to its deletion; so they are written down beside KCL's own state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from kcl_processor.aws import clients
from kcl_processor.config.task import Side, Task
from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.own_rows import Row, read_own, replace_own
from kcl_processor.launch.incarnation import Incarnation

KEY = "KclProcessorReplica"
# A destination was there before the first start made the table that holds the claim; their two
# services may tell the time differently by this much.
_CLOCKS = 60.0


@dataclass(frozen=True)
class Identity:
    """What a task's checkpoints belong to.

    Attributes:
        rules: the digest of the rules by which items were laid; empty for none.
    """

    source: Incarnation
    stream: str
    destination: Incarnation
    rules: str = ""

    def __str__(self) -> str:
        return f"{self.stream} to {self.destination}"


class Likeness(Enum):
    """How a table that was found is like the one that was written down."""

    SAME = auto()
    MADE_ANEW = auto()
    OTHER = auto()


@dataclass(frozen=True)
class Noted:
    """A table as it was written down.

    Earlier versions wrote its ARN alone, and so does the launcher for a source: it asks the stream,
    whose ARN holds the table's.

    Attributes:
        before: when such a table must have been there, seconds since the epoch.
    """

    arn: str
    incarnation: Incarnation | None
    before: float = 0.0

    def likeness(self, found: Incarnation) -> Likeness:
        """How a table that was found is like this one."""
        if self.incarnation:
            same = self.incarnation.is_table(found)
        else:
            same = self.arn == found.arn and found.created <= self.before + _CLOCKS
        if same:
            return Likeness.SAME
        return Likeness.MADE_ANEW if self.arn == found.arn else Likeness.OTHER

    def may_be(self, side: Side) -> bool:
        """Whether its name is that of a side which cannot be described, by its name or its ARN."""
        _, partition, _, region, *_ = [*self.arn.split(":"), *[""] * 4]
        elsewhere = partition.startswith("aws") and region not in (side.region, "ddblocal")
        return not elsewhere and self.arn.rpartition("/")[2] == side.table.rpartition("/")[2]

    def __str__(self) -> str:
        return str(self.incarnation or self.arn)


@dataclass(frozen=True)
class Claim:
    """An identity as it was written down.

    Attributes:
        rules: as :class:`Identity` has them.
        row: as it was read, to be replaced as such.
    """

    source: Noted
    stream: str
    destination: Noted
    rules: str
    row: Row

    def sides(self, task: Task) -> list[tuple[str, Side, Noted]]:
        """Each side of a task, in words, with what was written down for it."""
        return [
            ("source", task.source, self.source),
            ("destination", task.destination, self.destination),
        ]

    def __str__(self) -> str:
        return f"{self.stream} to {self.destination}"


def read_claim(task: Task) -> Claim | None:
    """What was written down beside a task's checkpoints, if anything.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    row = read_own(task, KEY)
    if row is None:
        return None
    whole = {"sourceIncarnation", "destinationIncarnation"} <= row.keys()
    before = 0.0 if whole else _made_at(task)
    source, destination = (
        Noted(row[arn]["S"], Incarnation.read(text) if text else None, before)
        for arn, text in (
            ("sourceTable", row.get("sourceIncarnation", {}).get("S")),
            ("destination", row.get("destinationIncarnation", {}).get("S")),
        )
    )
    rules = row.get("rules", {}).get("S", "")
    return Claim(source, row["stream"]["S"], destination, rules, row)


def write_claim(task: Task, before: Claim | None, ours: Identity) -> bool:
    """Write an identity down, unless another start was faster; whether that was not so.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    # The ARNs are what earlier versions read.
    row: Row = {
        "sourceTable": {"S": ours.source.arn},
        "stream": {"S": ours.stream},
        "destination": {"S": ours.destination.arn},
        "sourceIncarnation": {"S": str(ours.source)},
        "destinationIncarnation": {"S": str(ours.destination)},
    }
    if ours.rules:
        row["rules"] = {"S": ours.rules}
    if before and before.row == row:
        return True
    return replace_own(task, KEY, before.row if before else None, row)


def foreign(task: Task, claimed: Claim, this: object) -> ConfigError:
    """The error for checkpoints of another replica; ``this`` is the task's own in words."""
    return ConfigError(
        f"The checkpoint table {task.kcl.application_name} belongs to the replica {claimed}, "
        f"and this task is {this}.",
        rename_or_adopt(task),
    )


def rename_or_adopt(task: Task) -> str:
    """What to type where checkpoints look like another replica's."""
    return (
        f"give the task another name; or kcl-processor run --adopt {task.name}, if these "
        "checkpoints are this task's all the same"
    )


def _made_at(task: Task) -> float:
    client, table = clients.checkpoints(task), table_names(task).coordinator
    described = clients.described(client, table, OperatorError, "check kcl.endpoint")
    return float(described["CreationDateTime"].timestamp()) if described else 0.0
