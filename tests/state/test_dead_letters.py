"""Dead letters: kept in files and queues until they are settled."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest

from kcl_processor.aws import clients
from kcl_processor.config.access import DEFAULT
from kcl_processor.errors import ConfigError, ExitCode, OperatorError, PermissionDenied
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.refusals import DeadLetters, Origin
from kcl_processor.state.dead_letters import (
    DeadLetter,
    LetterFile,
    Place,
    PlaceUnavailable,
    open_place,
)
from tests.edges import Reply, serving
from tests.fakes import INVALID, HandClock, put

ORIGIN = Origin("task", "source", "replica", "shard-1")


def test_a_settled_letter_of_a_file_does_not_come_again(tmp_path: Path) -> None:
    """Letters come in order, once, and the file itself is never rewritten."""
    place = LetterFile(tmp_path / "dead")
    clock = HandClock()
    refused = DeadLetters(place, ORIGIN, clock, lambda: None, clock.turn)
    for sequence in (1, 2, 2, 3):
        clock.turn(1)
        refused.refuse(put("a", sequence), INVALID)
    before = (tmp_path / "dead").read_bytes()
    first, second, third = place.letters()
    place.settle(second)
    assert list(place.letters()) == [first, third]
    assert (tmp_path / "dead").read_bytes() == before


def test_a_letter_that_is_set_aside_once_more_is_open_once_more(tmp_path: Path) -> None:
    """A shard that is read again lays older images over what the first settling had mended."""
    place, clock = LetterFile(tmp_path / "dead"), HandClock()
    refused = DeadLetters(place, ORIGIN, clock, lambda: None, clock.turn)
    refused.refuse(put("a", 1), INVALID)
    clock.turn(1)
    refused.refuse(put("a", 1), INVALID)
    (letter,) = place.letters()
    clock.turn(1)
    refused.refuse(put("a", 1), INVALID)
    place.settle(letter)
    (again,) = place.letters()
    assert again.name == letter.name
    place.settle(again)
    assert list(place.letters()) == []


def test_a_letter_of_a_file_made_anew_is_open(tmp_path: Path) -> None:
    """Letters hold items, so whoever has replayed them may remove the file, and leave the notes."""
    place, clock = LetterFile(tmp_path / "dead"), HandClock()
    refused = DeadLetters(place, ORIGIN, clock, lambda: None, clock.turn)
    refused.refuse(put("a", 1), INVALID)
    place.settle(next(place.letters()))
    (tmp_path / "dead").unlink()
    clock.turn(1)
    refused.refuse(put("a", 1), INVALID)
    assert len(list(place.letters())) == 1


def test_what_an_earlier_version_settled_stays_settled(tmp_path: Path) -> None:
    """It noted a letter's name alone."""
    place = LetterFile(tmp_path / "dead")
    refused = DeadLetters(place, ORIGIN, HandClock(), lambda: None, HandClock().turn)
    refused.refuse(put("a", 1), INVALID)
    (letter,) = place.letters()
    (tmp_path / "dead.settled").write_text(f"{letter.name}\n")
    assert list(place.letters()) == []


def test_tasks_that_share_a_file_have_a_letter_each(tmp_path: Path) -> None:
    """One source, two destinations, one change: settling it for one settles it for no other."""
    place = LetterFile(tmp_path / "dead")
    for task in ("one", "two"):
        origin = dataclasses.replace(ORIGIN, task=task)
        refused = DeadLetters(place, origin, HandClock(), lambda: None, HandClock().turn)
        refused.refuse(put("a", 1), INVALID)
    one, two = place.letters()
    place.settle(one)
    assert (one.task, two.task) == ("one", "two") and list(place.letters()) == [two]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """There may be letters in it."""
    (tmp_path / "dead").mkdir()
    with pytest.raises(ConfigError, match="dead cannot be read"):
        list(LetterFile(tmp_path / "dead").letters())


def test_each_item_of_a_copy_is_a_letter_of_its_own(tmp_path: Path) -> None:
    """They have no sequence numbers; settling one settles no other."""
    place = LetterFile(tmp_path / "dead")
    refused = DeadLetters(
        place, Origin("task", "s", "d", "copy"), HandClock(), lambda: None, HandClock().turn
    )
    for name in ("a", "b", "c"):
        refused.refuse(dataclasses.replace(put(name), sequence_number="0"), INVALID)
    first, *rest = place.letters()
    place.settle(first)
    assert len(rest) == 2 and list(place.letters()) == rest


@pytest.mark.parametrize(
    "torn",
    [
        b'{"task": "task", "sha',
        b"17",
        b'{"task": "task"}',
        b"\xff\xfe",
        b'{"task":"task","shardId":"s","sequenceNumber":"1","key":null,"image":null}',
        b'{"task":"task","shardId":"s","sequenceNumber":"1","key":{},"image":null}',
        b'{"task":"task","shardId":"s","sequenceNumber":"1","key":{"pk":"a"},"image":null}',
        b'{"task":"task","shardId":"s","sequenceNumber":"1","key":{"pk":{"S":5}},"image":null}',
        b'{"task":"task","shardId":"s","sequenceNumber":"1","key":{"pk":{"B":"!!!"}},"image":null}',
        b'{"task":"task","shardId":"s","sequenceNumber":"1","key":{"pk":{"S":"a"}},"image":1}',
    ],
)
def test_a_torn_line_swallows_no_letter_and_stops_none(tmp_path: Path, torn: bytes) -> None:
    """What a full disk left of a letter is ended before the next one, and passed over."""
    path = tmp_path / "dead"
    path.write_bytes(torn)
    place = LetterFile(path)
    DeadLetters(place, ORIGIN, HandClock(), lambda: None, HandClock().turn).refuse(
        put("a", 7), INVALID
    )
    assert [letter.sequence_number for letter in place.letters()] == ["7"]


@pytest.fixture
def queue(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    """A queue, and what SQS says of it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto_url)
    monkeypatch.setattr("kcl_processor.state.dead_letters._LONG_POLL", 0)
    sqs = boto3.client("sqs", region_name="eu-west-1", endpoint_url=moto_url)
    url = sqs.create_queue(QueueName=f"letters-{uuid.uuid4().hex}")["QueueUrl"]
    yield Queue(sqs, url)
    with suppress(sqs.exceptions.QueueDoesNotExist):
        sqs.delete_queue(QueueUrl=url)


@dataclasses.dataclass
class Queue:
    sqs: Any
    url: str

    def says(self, name: str) -> str:
        asked = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return str(asked["Attributes"][name])


def refuse(place: Place, *changes: Change) -> None:
    for one in changes:
        DeadLetters(place, ORIGIN, HandClock(), lambda: None, HandClock().turn).refuse(one, INVALID)


def test_letters_go_to_a_queue_and_come_back(queue: Queue, tmp_path: Path) -> None:
    """By URL or by ARN; a settled letter leaves the queue."""
    refuse(
        open_place(queue.url, "eu-west-1", DEFAULT, tmp_path / "spare"), put("a", 7, n={"N": "1"})
    )
    place = open_place(queue.says("QueueArn"), "us-east-1", DEFAULT, tmp_path / "spare")
    (found,) = place.letters()
    assert found.sequence_number == "7" and found.image == {"pk": {"S": "a"}, "n": {"N": "1"}}
    place.settle(found)
    assert queue.says("ApproximateNumberOfMessages") == "0"
    assert queue.says("ApproximateNumberOfMessagesNotVisible") == "0"


def test_a_letter_that_is_not_settled_is_there_for_the_next_replay(
    queue: Queue, tmp_path: Path
) -> None:
    """In one replay each letter comes once, however many there are; released, all are back."""
    place = open_place(queue.url, "eu-west-1", DEFAULT, tmp_path / "spare")
    refuse(place, *(put(f"k{n}", n) for n in range(25)))
    taken = [letter.sequence_number for letter in place.letters()]
    assert sorted(taken, key=int) == [str(n) for n in range(25)]
    assert queue.says("ApproximateNumberOfMessages") == "0"
    place.release()
    assert queue.says("ApproximateNumberOfMessages") == "25"


def test_letters_that_another_replay_has_are_told(queue: Queue, tmp_path: Path) -> None:
    """A queue that gives none is not empty then; what this replay has taken out is not hidden."""
    place, other = (
        open_place(queue.url, "eu-west-1", DEFAULT, tmp_path / "spare") for _ in range(2)
    )
    refuse(place, *(put(f"k{n}", n) for n in range(3)))
    first, *_ = place.letters()
    assert place.hidden() == 0 and list(other.letters()) == [] and other.hidden() == 3
    place.settle(first)
    assert place.hidden() == 0 and other.hidden() == 2
    place.release()
    assert other.hidden() == 0


def test_letters_that_another_replay_has_are_told_beside_those_that_were_applied(
    queue: Queue, tmp_path: Path
) -> None:
    """As many as were settled here may be left with one that was cut off: nothing is done then."""
    cut_off, place = (
        open_place(queue.url, "eu-west-1", DEFAULT, tmp_path / "spare") for _ in range(2)
    )
    refuse(place, *(put(f"k{n}", n) for n in range(3)))
    assert len(list(cut_off.letters())) == 3
    refuse(place, *(put(f"m{n}", n) for n in range(4)))
    *settled, left = place.letters()
    for one in settled:
        place.settle(one)
    assert len(settled) == 3 and place.hidden() == 3
    place.settle(left)
    assert place.hidden() == 3
    cut_off.release()
    assert place.hidden() == 0


def test_a_letter_too_long_for_a_queue_is_kept_in_a_file(queue: Queue, tmp_path: Path) -> None:
    """SQS takes up to 1 MiB, and the JSON of an item of 400 KB may be longer."""
    place = open_place(queue.url, "eu-west-1", DEFAULT, tmp_path / "spare")
    refuse(place, put("a", 7, text={"S": "x" * 1_100_000}))
    assert queue.says("ApproximateNumberOfMessages") == "0"
    (found,) = place.letters()
    assert found.sequence_number == "7" and (tmp_path / "spare").exists()
    place.settle(found)
    assert list(place.letters()) == []


def test_a_queue_that_is_gone_is_no_reason_for_the_file(queue: Queue, tmp_path: Path) -> None:
    """The file goes with its host, such as a container, and the letter would with it."""
    place = open_place(queue.url, "eu-west-1", DEFAULT, tmp_path / "spare")
    refuse(place, put("a", 7))
    queue.sqs.delete_queue(QueueUrl=queue.url)
    with pytest.raises(ConfigError, match="takes no letter"):
        refuse(place, put("b", 8))
    assert not (tmp_path / "spare").exists()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("KMS.AccessDeniedException", PermissionDenied),
        ("KmsAccessDenied", PermissionDenied),
        ("KMS.ThrottlingException", PlaceUnavailable),
        ("KmsThrottled", PlaceUnavailable),
        ("RequestThrottled", PlaceUnavailable),
        ("KMS.DisabledException", ConfigError),
        ("AWS.SimpleQueueService.UnsupportedOperation", ConfigError),
    ],
)
def test_a_queue_that_takes_no_letter_at_all_is_told(
    tmp_path: Path, code: str, error: type[Exception]
) -> None:
    """Its key is denied, busy or turned off: that is not the letter's fault."""
    refusal = Reply.of({"__type": f"com.amazonaws.sqs#{code}", "message": "no"}, 400)
    with serving(lambda _request: refusal) as sqs:
        place = open_place(
            f"{sqs.url}/123456789012/letters", "eu-west-1", DEFAULT, tmp_path / "spare"
        )
        with pytest.raises(error, match=code):
            place.put(b"{}")
    assert not (tmp_path / "spare").exists()


@pytest.mark.parametrize("status", [302, 403, 404, 407, 408])
@pytest.mark.parametrize("by_arn", [False, True])
def test_what_stands_before_a_queue_does_not_speak_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, status: int, by_arn: bool
) -> None:
    """A portal's or a proxy's page is waited out, as where it answers for a table."""
    with serving(lambda _request: Reply(b"<html>sign in</html>", status)) as sqs:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", sqs.url)
        arn = f"arn:aws:sqs:{uuid.uuid4().hex}:123456789012:letters"
        url = f"{sqs.url}/123456789012/letters"
        place = open_place(arn if by_arn else url, "eu-west-1", DEFAULT, tmp_path / "spare")
        with pytest.raises(PlaceUnavailable):
            place.put(b"{}")
    assert not (tmp_path / "spare").exists()


class Away:
    """A place that takes no letter for a while."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.put_lines: list[bytes] = []

    def put(self, line: bytes) -> None:
        self.times -= 1
        if self.times >= 0:
            raise PlaceUnavailable("no answer")
        self.put_lines.append(line)

    def letters(self) -> Iterator[DeadLetter]:
        yield from ()

    def settle(self, letter: DeadLetter) -> None:
        raise NotImplementedError

    def hidden(self) -> int:
        raise NotImplementedError

    def release(self) -> None:
        raise NotImplementedError


def test_a_queue_that_is_away_is_waited_for() -> None:
    """An outage is no poison: the letter is put when the queue is back."""
    clock, away = HandClock(), Away(7)
    DeadLetters(away, ORIGIN, clock, lambda: None, clock.turn).refuse(put("a", 7), INVALID)
    assert len(away.put_lines) == 1


def test_a_queue_that_stays_away_ends_the_process_for_a_restart() -> None:
    """Exit code 1, on which a supervisor starts again; and nothing was passed over."""
    clock, away = HandClock(), Away(10_000)
    with pytest.raises(OperatorError, match="takes no dead letter") as raised:
        DeadLetters(away, ORIGIN, clock, lambda: None, clock.turn).refuse(put("a", 7), INVALID)
    assert raised.value.exit_code == ExitCode.CRASH and not away.put_lines


@pytest.mark.parametrize("status", [200, 202, 204])
def test_an_answer_that_is_not_the_queues_makes_no_letter_durable(
    tmp_path: Path, status: int
) -> None:
    """A portal or a proxy may answer so; SQS says by which id it has the message."""
    with serving(lambda _request: Reply.of({}, status)) as portal:
        place = open_place(
            f"{portal.url}/123456789012/letters", "eu-west-1", DEFAULT, tmp_path / "spare"
        )
        with pytest.raises(PlaceUnavailable, match="MessageId"):
            place.put(b"{}")


def test_a_queue_that_is_not_there_is_named(
    moto_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An ARN without a queue behind it is an error of the configuration."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto_url)
    place = open_place(
        "arn:aws:sqs:eu-west-1:123456789012:none", "us-east-1", DEFAULT, tmp_path / "spare"
    )
    for use in (lambda: place.put(b"{}"), lambda: next(place.letters())):
        with pytest.raises(ConfigError, match="arn:aws:sqs:eu-west-1:123456789012:none"):
            use()


@pytest.mark.parametrize(
    ("code", "status"), [("ServiceUnavailable", 503), ("InvalidClientTokenId", 403)]
)
def test_a_queue_that_is_away_keeps_no_shard_from_its_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, status: int
) -> None:
    """A shard without a letter needs no queue; at its first letter the queue is waited for."""
    refusal = Reply.of({"__type": f"com.amazonaws.sqs#{code}", "message": "no"}, status)
    with serving(lambda _request: refusal) as sqs:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", sqs.url)
        # A region of its own, as clients are kept.
        arn = f"arn:aws:sqs:{uuid.uuid4().hex}:123456789012:away"
        place = open_place(arn, "eu-west-1", DEFAULT, tmp_path / "spare")
        with pytest.raises(PlaceUnavailable, match=code):
            place.put(b"{}")


def test_credentials_that_are_missing_keep_no_shard_from_its_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They may be there soon, and the destination waits for its own."""
    for half in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(half, raising=False)
    for file in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(file, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clients.forget()
    place = open_place("http://127.0.0.1:9/1/away", "eu-west-1", DEFAULT, tmp_path / "spare")
    with pytest.raises(PlaceUnavailable, match="No AWS credentials"):
        place.put(b"{}")
