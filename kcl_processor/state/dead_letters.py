"""Where a task's dead letters lie: a file of this host, or an SQS queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from kcl_processor.config.paths import is_queue, settled
from kcl_processor.errors import ConfigError, OperatorError
from kcl_processor.state.durable import append_line

# Seconds that a message of a queue stays hidden while its letter is being applied.
_HIDDEN = 60


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


# Makes an SQS client of a region, with an endpoint unless it is the region's own.
Queues = Callable[[str, str | None], Any]


def open_place(place: str, region: str, queues: Queues) -> Place:
    """Open what ``dead_letters`` of a task names.

    Args:
        region: of a queue whose URL does not tell.
        queues: called for a queue only.

    Raises:
        ConfigError: there is no such queue.
        OperatorError: there are no credentials.
    """
    if not is_queue(place):
        return LetterFile(Path(place))
    return LetterQueue(place, region, queues)


class LetterFile:
    """A file of JSON lines, with a second one beside it that notes which are settled.

    Every child of a task on a host appends to it. A line is one ``write`` to a file opened for
    appending, so lines of two children never mix, and nobody ever rewrites it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._settled = settled(path)

    def __str__(self) -> str:
        return str(self._path)

    def put(self, line: bytes) -> None:
        append_line(self._path, line)

    def letters(self) -> Iterator[DeadLetter]:
        # A restart may set a change aside a second time.
        seen = set(_lines(self._settled))
        for letter in map(read_letter, _lines(self._path)):
            if _name(letter) not in seen:
                seen.add(_name(letter))
                yield letter

    def settle(self, letter: DeadLetter) -> None:
        append_line(self._settled, _name(letter) + b"\n")


class LetterQueue:
    """An SQS queue; a letter is a message, deleted when it is settled."""

    def __init__(self, place: str, region: str, queues: Queues) -> None:
        try:
            self._url, self._client = _queue(place, region, queues)
        except (BotoCoreError, ClientError) as error:
            raise ConfigError(
                f"The queue of dead letters {place} cannot be used: {error}.",
                "dead_letters with the URL or the ARN of an SQS queue",
            ) from error

    def __str__(self) -> str:
        return self._url

    def put(self, line: bytes) -> None:
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=line.decode())
        except (BotoCoreError, ClientError, OperatorError) as error:
            raise OSError(0, str(error)) from error

    def letters(self) -> Iterator[DeadLetter]:
        while True:
            got = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN
            ).get("Messages")
            if not got:
                return
            for message in got:
                yield read_letter(message["Body"].encode(), message["ReceiptHandle"])

    def settle(self, letter: DeadLetter) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)


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


def _queue(place: str, region: str, queues: Queues) -> tuple[str, Any]:
    if place.startswith("arn:"):
        _, _, _, region, account, name = place.split(":", 5)
        client = queues(region, None)
        answer = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        return str(answer["QueueUrl"]), client
    host = urlsplit(place)
    words = (host.hostname or "").split(".")
    if words[0] == "sqs" and len(words) > 2:
        region = words[1]
    return place, queues(region, f"{host.scheme}://{host.netloc}")
