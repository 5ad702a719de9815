"""Where a task's dead letters lie: a file of this host, or an SQS queue."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson


@dataclass(frozen=True)
class DeadLetter:
    """A change that the destination refused; `key` and `image` are DynamoDB JSON.

    Attributes:
        receipt: what its place knows it by.
    """

    shard_id: str
    sequence_number: str
    key: dict[str, Any]
    image: dict[str, Any] | None
    receipt: str

    def __str__(self) -> str:
        return f"record {self.sequence_number} of {self.shard_id}"


class Place(Protocol):
    """Where dead letters are put and taken out again."""

    def put(self, line: bytes) -> None:
        """Make one letter, a line of JSON, durable, or raise OSError."""

    def letters(self) -> Iterable[DeadLetter]:
        """The letters that are not settled."""

    def settle(self, letter: DeadLetter) -> None:
        """The letter needs nothing more."""


def is_queue(place: str) -> bool:
    """Whether ``dead_letters`` of a task names an SQS queue, by URL or ARN."""
    return place.startswith(("http://", "https://", "arn:"))


def open_place(place: str, region: str) -> Place:
    """Open what ``dead_letters`` of a task names.

    Args:
        region: of a queue whose URL does not tell.

    Raises:
        ConfigError: there is no such queue.
    """
    if not is_queue(place):
        return LetterFile(Path(place))
    # boto3 takes longer to import than a record processor may take to start.
    from kcl_processor.state.letter_queue import LetterQueue

    return LetterQueue(place, region)


class LetterFile:
    """A file of JSON lines, with a second one beside it that notes which are settled.

    Every child of a task on a host appends to it. A line is one ``write`` to a file opened for
    appending, so lines of two children never mix, and nobody ever rewrites it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._settled = path.with_name(path.name + ".settled")

    def __str__(self) -> str:
        return str(self._path)

    def put(self, line: bytes) -> None:
        append_durably(self._path, line)

    def letters(self) -> Iterator[DeadLetter]:
        # A restart may set a change aside a second time.
        seen = set(_lines(self._settled))
        for letter in map(read_letter, _lines(self._path)):
            if _name(letter) not in seen:
                seen.add(_name(letter))
                yield letter

    def settle(self, letter: DeadLetter) -> None:
        append_durably(self._settled, _name(letter) + b"\n")


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


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []


def _name(letter: DeadLetter) -> bytes:
    return f"{letter.shard_id} {letter.sequence_number}".encode()


def read_letter(line: bytes, receipt: str = "") -> DeadLetter:
    """A letter from its line of JSON."""
    read = orjson.loads(line)
    return DeadLetter(
        shard_id=read["shardId"],
        sequence_number=read["sequenceNumber"],
        key=read["key"],
        image=read["image"],
        receipt=receipt,
    )
