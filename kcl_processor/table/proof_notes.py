"""What whole runs, and looks at single keys, come to in a task's proof."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.own_rows import replace_own
from kcl_processor.fleet.running import StillRunning
from kcl_processor.launch.claim import refuse_foreign
from kcl_processor.launch.proof import (
    Replica,
    note_whole,
    read_proof,
    read_proof_parts,
    replica_of,
    settle_in_mark,
)
from kcl_processor.launch.proof_part import encode, part_key
from kcl_processor.table.held_row import is_at_work, owner_of
from kcl_processor.table.verify_task import Verified


def note_run(
    task: Task,
    verified: Verified,
    began_at: float,
    clock: Clock,
    wait: Callable[[float], None],
    tell: Callable[[str], None],
) -> None:
    """Note what a whole run has found, where a proof can be kept.

    Args:
        tell: takes one line, if it cannot be.
    """
    try:
        refuse_foreign(task, clock, wait)
        if not _has_coordinator(task):
            tell("No proof is kept: the task has no checkpoint tables yet.")
        elif since := verified.replica.differs(replica_of(task)):
            tell(f"No proof is kept: {since} since this run began.")
        else:
            note_whole(task, verified.replica, began_at, verified.left)
    except OperatorError as error:
        tell(f"What this run has found is not kept as the task's proof: {error.message}")


def _has_coordinator(task: Task) -> bool:
    """Whether the table is there that would hold a proof."""
    client, name = clients.checkpoints(task), table_names(task).coordinator
    return clients.described(client, name, OperatorError, "check kcl.endpoint") is not None


def note_settled(
    task: Task,
    replica: Replica,
    settled: set[str],
    clock: Clock,
    wait: Callable[[float], None],
    tell: Callable[[str], None],
) -> None:
    """Note that keys which differed are equal now; a part at work finds out by itself.

    Args:
        settled: the keys, as :func:`digest` has them.
        tell: takes one line, if it cannot be noted.
    """
    try:
        refuse_foreign(task, clock, wait)
        mark = read_proof(task)
        if mark is None or not mark.replica.is_like(replica):
            return
        settle_in_mark(task, mark, settled)
        for part, row in read_proof_parts(task, mark):
            if part and row and not owner_of(row):
                part.settle(settled)
                after = row | {"progress": {"B": zlib.compress(encode(part))}}
                replace_own(task, part_key(part.part, part.parts), row, after)
    except OperatorError as error:
        tell(f"What is settled is not noted in the task's proof: {error.message}")


def refuse_proving(task: Task, now: float) -> None:
    """Keep off a task whose tables are being compared part by part.

    Raises:
        StillRunning: a process on some host is at work on a part.
    """
    mark = read_proof(task)
    for _, row in read_proof_parts(task, mark) if mark else ():
        if row and is_at_work(row, now):
            raise StillRunning(
                f"The tables of task {task.name} are being compared on {row['host']['S']}.",
                "stop that verify first, then try again",
            )
