"""Where a task's dead letters lie: a file of this host, or an SQS queue."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from kcl_processor.aws.codes import DENIED, RENEW, code_of, passes, status_of
from kcl_processor.aws.credential_errors import NoKeys
from kcl_processor.config.access import Access
from kcl_processor.config.paths import is_queue, settled
from kcl_processor.errors import ConfigError, ExitCode, OperatorError, PermissionDenied
from kcl_processor.state.durable import append_line, read_lines

if TYPE_CHECKING:
    from kcl_processor.aws.queues import Queue

_log = logging.getLogger(__name__)

# Seconds that a message of a queue stays hidden from others while its letter is being applied, and
# that a look into the queue waits for one.
HIDDEN = 900
_LONG_POLL = 5
# What SQS says of one letter: it is too long, or has a character that no message may have.
_OF_THE_LETTER = frozenset(
    {
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "InvalidMessageContents",
        "MessageTooLong",
    }
)
_TOO_LARGE = 413
# Of SQS, and of the key that a queue is encrypted by (SQS API reference, "SendMessage").
_BUSY = frozenset({"RequestThrottled", "Throttled", "ThrottlingException"})


@dataclass(frozen=True)
class DeadLetter:
    """A change that the destination refused; `key` and `image` are DynamoDB JSON.

    Attributes:
        task: whose change it is; a queue may hold letters of several.
        name: tells it from all others. Set aside a second time, after a restart, it bears the
            same name. The items of a copy have neither shard nor sequence number of their own, so
            their content is in it.
        source_arn: of the table that the change was made at; empty in one of an earlier version.
        receipt: what a queue knows it by.
        refusals: the moments at which it was set aside, one for each line of a file that holds it.
    """

    task: str
    shard_id: str
    sequence_number: str
    key: dict[str, Any]
    image: dict[str, Any] | None
    name: str
    receipt: str
    refusals: tuple[str, ...]
    source_arn: str = ""

    def __str__(self) -> str:
        return f"record {self.sequence_number} of {self.shard_id}"


class PlaceUnavailable(Exception):
    """A place takes no letter at the moment, and may soon."""


class Place(Protocol):
    """Where dead letters are put and taken out again."""

    def put(self, line: bytes) -> None:
        """Make one letter, a line of JSON, durable.

        Raises:
            PlaceUnavailable: not now.
            OSError: not here.
            PermissionDenied: not with these credentials.
            ConfigError: it takes none, until somebody mends it.
        """

    def letters(self) -> Iterator[DeadLetter]:
        """The letters that are not settled, each once. What is no letter is told in the log.

        Raises:
            OperatorError: they cannot be read.
        """

    def settle(self, letter: DeadLetter) -> None:
        """The letter needs nothing more."""

    def hidden(self) -> int:
        """About how many letters somebody else has taken out, so that they are not seen here."""

    def release(self) -> None:
        """Let whoever comes next have the letters that were taken out and not settled."""


def open_place(place: str, region: str, access: Access, spare: Path) -> Place:
    """What ``dead_letters`` of a task names; a queue is looked for when it is first used.

    Args:
        region: of a queue whose URL does not tell.
        access: whose credentials a queue is used with.
        spare: the file for letters that a queue refuses; it takes them up to 1 MiB only.
    """
    if not is_queue(place):
        return LetterFile(Path(place))
    return LetterQueue(place, region, access, LetterFile(spare))


class LetterFile:
    """A file of JSON lines, with a second one beside it that notes which are settled.

    A note is a name, a tab, and the moment at which it was set aside: what is set aside once more,
    later on, is open once more, though the first file was removed in between. Every child of a task
    on a host appends to that file, and none of them ever rewrites it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._settled = settled(path)

    def __str__(self) -> str:
        return str(self._path)

    def put(self, line: bytes) -> None:
        append_line(self._path, line)

    def letters(self) -> Iterator[DeadLetter]:
        # Before the letters: what is set aside meanwhile is then open, and not settled unseen.
        notes = set(map(_settling, read_lines(self._settled, "settled dead letters")))
        found: dict[str, DeadLetter] = {}
        for number, line in enumerate(read_lines(self._path, "dead letters"), start=1):
            letter = read_letter(line)
            if letter is None:
                # Its writing failed, so its change was not passed over: it came again, or will.
                _log.warning("line %d of %s is no dead letter: passed over", number, self._path)
            elif notes.isdisjoint({(letter.name, moment) for moment in (*letter.refusals, _ANY)}):
                earlier = found[letter.name].refusals if letter.name in found else ()
                found[letter.name] = replace(letter, refusals=(*earlier, *letter.refusals))
        yield from found.values()

    def settle(self, letter: DeadLetter) -> None:
        for moment in letter.refusals:
            append_line(self._settled, f"{letter.name}\t{moment}\n".encode())

    def hidden(self) -> int:
        return 0

    def release(self) -> None:
        """Nothing was taken out."""


# The moment of a note by an earlier version, which settled a name for good.
_ANY = ""


def _settling(line: bytes) -> tuple[str, str]:
    """A letter's name and the moment at which what is settled was set aside."""
    name, _, moment = line.decode(errors="replace").partition("\t")
    return name, moment


class LetterQueue:
    """An SQS queue; a letter is a message, deleted when it is settled.

    A record processor that has no letter needs none: whether the queue is there, or credentials
    for it, is no reason to stop. Whoever uses it meets the errors of ``aws.queues.open_queue``.

    Args:
        place: its URL or ARN.
        spare: takes what the queue refuses, such as a letter that is too long for it.
    """

    def __init__(self, place: str, region: str, access: Access, spare: LetterFile) -> None:
        self._place = place
        self._region = region
        self._access = access
        self._spare = spare
        self._taken: dict[str, str] = {}
        self._met: set[str] = set()
        self._in_flight_before = 0

    def __str__(self) -> str:
        return self._place

    @cached_property
    def _opened(self) -> Queue:
        # boto3 takes longer to import than a record processor may take to start.
        from kcl_processor.aws.queues import open_queue

        return open_queue(self._place, self._region, self._access)

    @property
    def _url(self) -> str:
        return self._opened.url

    @property
    def _client(self) -> Any:
        return self._opened.client

    def put(self, line: bytes) -> None:
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=line.decode())
        except (BotoCoreError, NoKeys) as error:
            raise PlaceUnavailable(str(error)) from error
        except OperatorError as error:
            if _may_pass(error):
                raise PlaceUnavailable(error.message) from error
            raise
        except ClientError as error:
            _raise_unless_refused(error, self._url)
            _log.warning("%s refuses a letter (%s); it goes to %s", self, error, self._spare)
            self._spare.put(line)

    def letters(self) -> Iterator[DeadLetter]:
        """Those of the spare file, then messages until the queue has no more.

        A long poll asks all of SQS' servers; a short one asks a few, and may find nothing in a
        queue that is not empty.
        """
        yield from self._spare.letters()
        self._in_flight_before = self._in_flight()
        while messages := self._receive():
            for message in messages:
                known = message["MessageId"] in self._met
                self._met.add(message["MessageId"])
                self._taken[message["MessageId"]] = message["ReceiptHandle"]
                letter = read_letter(message["Body"].encode(), message["MessageId"])
                if letter is None:
                    _log.warning("message %s is no dead letter: left", message["MessageId"])
                elif not known:
                    yield letter

    def settle(self, letter: DeadLetter) -> None:
        if not letter.receipt:
            return self._spare.settle(letter)
        self._call(
            "DeleteMessage",
            lambda: self._client.delete_message(
                QueueUrl=self._url, ReceiptHandle=self._taken.pop(letter.receipt)
            ),
        )

    def hidden(self) -> int:
        """Of what SQS says is in flight, all but what came here.

        Its count lags behind, and may hold what was settled since. What was in flight before
        anything came here is somebody else's, for as long as it is.
        """
        now = self._in_flight()
        before = min(self._in_flight_before, now - len(self._taken))
        return max(0, now - len(self._met), before)

    def _in_flight(self) -> int:
        counted = "ApproximateNumberOfMessagesNotVisible"
        try:
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[counted])
        except (BotoCoreError, ClientError, NoKeys) as error:
            _log.warning("whether others have letters of %s is not known (%s)", self, error)
            return 0
        return int(answer["Attributes"][counted])

    def release(self) -> None:
        for receipt in self._taken.values():
            # A message whose time to be hidden is over is with somebody else already.
            with suppress(BotoCoreError, ClientError, NoKeys):
                self._client.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0
                )
        self._taken.clear()

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._call(
            "ReceiveMessage",
            lambda: self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HIDDEN,
                WaitTimeSeconds=_LONG_POLL,
            ),
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _call(self, action: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (BotoCoreError, ClientError) as error:
            raise OperatorError(
                f"sqs:{action} on the queue of dead letters {self._url} failed ({error}).",
                f"kcl-processor replay again, {HIDDEN // 60} minutes from now: until then the "
                "queue hides what was taken out; letters that are settled stay settled",
            ) from error


def _may_pass(error: OperatorError) -> bool:
    """Whether a queue that could not be opened may be soon."""
    from kcl_processor.aws.clients import CredentialsRefused

    cause = error.__cause__
    is_page = isinstance(cause, ClientError) and _is_page(cause)
    return is_page or isinstance(error, CredentialsRefused) or error.exit_code == ExitCode.CRASH


def _is_page(error: ClientError) -> bool:
    """Whether a proxy, or a portal, has answered: an error of the service has a code of letters."""
    return code_of(error.response).isdecimal() and status_of(error.response) != _TOO_LARGE


def _raise_unless_refused(error: ClientError, url: str) -> None:
    """Return if the queue takes other letters, but never this one.

    Of a queue that takes none at the moment, or ever, the spare file is no place: it goes with its
    host, and the queue was named because hosts go.
    """
    # Of the key that a queue is encrypted by it is KMS.AccessDeniedException, or KmsAccessDenied.
    code = code_of(error.response)
    kind = code.rpartition(".")[2].removeprefix("Kms")
    if kind in DENIED:
        raise PermissionDenied(
            f"sqs:SendMessage on the queue of dead letters {url} is denied ({error}).",
            "allow sqs:SendMessage on the queue for these credentials, and kms:GenerateDataKey and "
            "kms:Decrypt on its key if it has one, then start again",
        ) from error
    if _is_page(error) or passes(error.response) or code in RENEW or kind in _BUSY:
        raise PlaceUnavailable(str(error)) from error
    if kind not in _OF_THE_LETTER and status_of(error.response) != _TOO_LARGE:
        raise ConfigError(
            f"The queue of dead letters {url} takes no letter ({error}).",
            "mend the queue, or dead_letters with another, then start again",
        ) from error


def read_letter(line: bytes, receipt: str = "") -> DeadLetter | None:
    """A letter from its line of JSON; ``None`` if it is none."""
    try:
        read = orjson.loads(line)
        key, image = read["key"], read["image"]
        if not (_is_key(key) and (image is None or isinstance(image, dict))):
            return None
        source_arn = str(read.get("sourceArn") or "")
        content = orjson.dumps([key, image], option=orjson.OPT_SORT_KEYS) + source_arn.encode()
        task, shard_id, number = map(str, (read["task"], read["shardId"], read["sequenceNumber"]))
        return DeadLetter(
            task=task,
            shard_id=shard_id,
            sequence_number=number,
            key=key,
            image=image,
            name=f"{task} {shard_id} {number} {hashlib.sha256(content).hexdigest()[:32]}",
            receipt=receipt,
            refusals=(str(read.get("refusedMs")),),
            source_arn=source_arn,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_key(key: Any) -> bool:
    """Whether it can be asked for. DynamoDB Local answers bad base64 as if that would pass."""
    if not (isinstance(key, dict) and key):
        return False
    for value in key.values():
        ((kind, text),) = value.items()
        if kind not in ("S", "N", "B") or not isinstance(text, str):
            return False
        if kind == "B":
            base64.b64decode(text, validate=True)
    return True
