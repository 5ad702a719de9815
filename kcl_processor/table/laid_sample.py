"""A few items of a task's source, and what its rules make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from kcl_processor.clock import Clock
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, DestinationError, SourceError
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.preflight import check_destination, describe, key_schema, key_types
from kcl_processor.table import access
from kcl_processor.table.table_reader import Segment, TableReader
from kcl_processor.transform.transform import Image, RuleFailed, Transform

_SOURCE_HINT = "name the source table and its region as they are"
_PAGE_ITEMS = 100


@dataclass(frozen=True)
class Sample:
    """One item before and after.

    Attributes:
        before: as the source has it.
        after: as the replica has it; ``None`` where that has none.
        fault: why a rule fails for it, if one does.
    """

    before: Image
    after: Image | None
    fault: str | None


def open_rules(task: Task, tell: Callable[[str], None]) -> Transform:
    """A task's rules between its two tables.

    Args:
        tell: takes one line, where there is no destination yet, whose key the rules could have.

    Raises:
        ConfigError: the task has none, or no item of the destination can come from them.
        SourceError: there is no source table.
        PermissionDenied: a call is denied.
    """
    if task.rules is None:
        raise ConfigError(
            f"Task {task.name} has no rules: its replica is as the source.",
            "write a section transform under the task",
        )
    described = describe(task.source, SourceError, _SOURCE_HINT)
    keys = key_schema(described)
    try:
        _, transform = check_destination(task, keys, Incarnation.of(described))
    except DestinationError as missing:
        tell(f"{missing.message} So whether the replica's items have its key is not looked at.")
        transform = None
    return transform or Transform(task.rules, key_types(keys), {})


def laid(transform: Transform, before: Image) -> Sample:
    """What the rules make of an item.

    Raises:
        ConfigError: it lacks a key attribute of the source's.
    """
    for name, kind in transform.source_keys.items():
        if kind not in before.get(name, {}):
            raise ConfigError(
                f"The item has no {name!r} of type {kind}, which is of the source's key.",
                f"give it one, as in {{{name!r}: …}}",
            )
    try:
        return Sample(before, transform.lay(before), None)
    except RuleFailed as failed:
        return Sample(before, None, str(failed))


def scanned(task: Task, count: int, clock: Clock, wait: Callable[[float], None]) -> Iterator[Image]:
    """Items of the source as a scan finds them, at most ``count``.

    Raises:
        SourceError: the source cannot be read.
        PermissionDenied: it may not be.
    """
    keys = key_schema(describe(task.source, SourceError, _SOURCE_HINT))
    calls = access.calls(task.source, SourceError, None, 1, clock, wait)
    reader = TableReader(calls, keys, page_items=min(count, _PAGE_ITEMS))
    after = None
    while count > 0:
        page = reader.page(Segment(0, 1), after)
        for item in page.items[:count]:
            yield orjson.loads(item.image)
        count -= len(page.items)
        after = page.last_key
        if after is None:
            return
