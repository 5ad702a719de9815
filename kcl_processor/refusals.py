"""Changes that the destination never accepts: stop, or set them aside durably and go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from kcl_processor.change import Change
from kcl_processor.clock import Clock
from kcl_processor.decode import key_names
from kcl_processor.destination import Reply
from kcl_processor.errors import PoisonError


@dataclass(frozen=True)
class Origin:
    """Where a refused change came from and where it was going, for the person who reads of it."""

    task: str
    source_table: str
    destination_table: str
    shard_id: str


class StopOnRefusal:
    """``on_poison: stop``: end the process, so that nothing is skipped without a decision."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def refuse(self, change: Change, reply: Reply) -> None:
        """Raise :class:`PoisonError`, naming the record but none of the item's values."""
        raise PoisonError(
            f"Table {self._origin.destination_table} never accepts record "
            f"{change.sequence_number} of shard {self._origin.shard_id} of table "
            f"{self._origin.source_table} (key attributes {', '.join(key_names([change]))}): "
            f"{reply.error}: {without_values(reply.message, change)}.",
            "mend the cause on the destination, or set `on_poison: dead-letter` for this task",
        )


class DeadLetterFile:
    """``on_poison: dead-letter`` to a file: one JSON line a change, synced before it returns.

    Every child of a task on a host appends to the same file. A line is one ``write`` to a file
    opened for appending, so lines of two children never mix.

    Args:
        on_written: called after each dead letter, for metrics.
    """

    def __init__(
        self, path: Path, origin: Origin, clock: Clock, on_written: Callable[[], None]
    ) -> None:
        self._path = path
        self._origin = origin
        self._clock = clock
        self._on_written = on_written

    def refuse(self, change: Change, reply: Reply) -> None:
        """Append the change, with its image, and sync the file.

        Raises:
            PoisonError: the file cannot be written; then the change must not be passed over.
        """
        line = orjson.dumps(dead_letter(change, reply, self._origin, self._clock)) + b"\n"
        try:
            append_durably(self._path, line)
        except OSError as error:
            raise PoisonError(
                f"The dead letter of record {change.sequence_number} cannot be written to "
                f"{self._path}: {error.strerror}.",
                "make room or mend the permissions of this file, then start again",
            ) from error
        self._on_written()


def dead_letter(change: Change, reply: Reply, origin: Origin, clock: Clock) -> dict[str, Any]:
    """A dead letter: enough to apply the change again, and to say why it was refused.

    It holds the item, unlike every log: keep the place where it goes as safe as the table.
    """
    image = None if change.image is None else orjson.loads(change.image)
    return {
        "task": origin.task,
        "sourceTable": origin.source_table,
        "destinationTable": origin.destination_table,
        "shardId": origin.shard_id,
        "sequenceNumber": change.sequence_number,
        "createdMs": change.created_ms,
        "refusedMs": int(clock.now() * 1000),
        "error": reply.error,
        "message": without_values(reply.message, change),
        "key": orjson.loads(change.key),
        "image": image,
    }


def append_durably(path: Path, line: bytes) -> None:
    """Append one line to a file of mode 0600 and return when it is on the disk.

    Raises:
        OSError: the line is not on the disk, or not whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(28, "the disk is full")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def without_values(message: str, change: Change) -> str:
    """The service's message with the item's own values blotted out.

    Some validation messages quote the value they complain about. Values of one or two characters
    stay: blotting those out would make the message unreadable and tells nobody anything.
    """
    item = orjson.loads(change.key if change.image is None else change.image)
    for value in sorted(set(_scalars(item)), key=len, reverse=True):
        if len(value) > 2:
            message = message.replace(value, "…")
    return message


def _scalars(node: object) -> Iterator[str]:
    """The values in DynamoDB JSON; names of attributes and types are no values."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for child in node.values():
            yield from _scalars(child)
    elif isinstance(node, list):
        for child in node:
            yield from _scalars(child)
