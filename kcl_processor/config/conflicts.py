"""Tasks of one file that would undo each other's work.

A table may be spelled in more ways than one, and a task may stand in another file: what cannot be
seen here is not refused.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from pathlib import Path

from kcl_processor.config.task import NAMED_TABLES, Task
from kcl_processor.errors import ConfigError


def refuse_conflicts(path: Path, tasks: Sequence[Task]) -> None:
    """Refuse tasks that share what only one of them may have, or that feed each other.

    Raises:
        ConfigError: two have one name, one table of KCL's or one destination, or some replicate in
            a circle; they are named.
    """
    for one, two in _pairs(tasks, lambda task: task.name):
        raise ConfigError(
            f"{path}: two tasks are called {one.name!r}: their files on a host would be the same.",
            f"call one of them {two.name}-2",
        )
    for one, two in _pairs(tasks, _checkpoint_table):
        raise ConfigError(
            f"{path}: tasks {one.name!r} and {two.name!r} would share the checkpoint table "
            f"{one.kcl.application_name}, and destroy each other's checkpoints.",
            "give one of them another name or kcl.application_name",
        )
    for name in NAMED_TABLES:
        for one, two in _pairs(tasks, partial(_kcl_table, name)):
            naming = two if name in two.kcl.properties else one
            raise ConfigError(
                f"{path}: tasks {one.name!r} and {two.name!r} would share the table "
                f"{naming.kcl.table(name)}, by {name}: each would give its shards to the "
                "other's workers, which do not read them.",
                f"leave {name} out of {naming.name}, or name another table",
            )
    for one, two in _pairs(tasks, lambda task: task.destination.place):
        raise ConfigError(
            f"{path}: tasks {one.name!r} and {two.name!r} both write to {one.destination}, and "
            "neither knows which of their writes is the last, nor whose an item is, whatever rules "
            "keep them apart: verify would take the other's for extra.",
            f"give {two.name} another destination",
        )
    for way in filter(None, (_circle(task, tasks) for task in tasks)):
        raise ConfigError(
            f"{path}: tasks {' and '.join(repr(task.name) for task in way)} replicate in a circle: "
            f"each change of {way[0].source} would come back to it, over newer ones.",
            "replicate one way only; for two ways there are DynamoDB Global Tables",
        )


def _pairs(tasks: Sequence[Task], key: Callable[[Task], Hashable]) -> list[tuple[Task, Task]]:
    seen: dict[Hashable, Task] = {}
    return [
        (first, task) for task in tasks if (first := seen.setdefault(key(task), task)) is not task
    ]


def _checkpoint_table(task: Task) -> Hashable:
    kcl = task.kcl
    return kcl.region, kcl.endpoint, kcl.access.whose, kcl.application_name


def _kcl_table(name: str, task: Task) -> Hashable:
    kcl = task.kcl
    return kcl.region, kcl.endpoint, kcl.access.whose, kcl.table(name)


def _circle(first: Task, tasks: Sequence[Task]) -> list[Task] | None:
    """The tasks by which a change of the first one's source comes back there."""
    ways, left = [[first]], [task for task in tasks if task is not first]
    while ways:
        way = ways.pop()
        reached = way[-1].destination.place
        if reached == first.source.place:
            return way
        ways += [[*way, task] for task in left if task.source.place == reached]
        left = [task for task in left if task.source.place != reached]
    return None
