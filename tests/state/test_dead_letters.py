"""Dead letters: kept in files and queues until they are settled."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from kcl_processor.aws.clients import queues
from kcl_processor.errors import ConfigError
from kcl_processor.replicate.refusals import DeadLetters, Origin
from kcl_processor.state.dead_letters import LetterFile, open_place
from tests.fakes import INVALID, HandClock, put

ORIGIN = Origin("task", "source", "replica", "shard-1")


def test_a_settled_letter_of_a_file_does_not_come_again(tmp_path: Path) -> None:
    """Letters come in order, once, and the file itself is never rewritten."""
    place = LetterFile(tmp_path / "dead")
    clock = HandClock()
    refused = DeadLetters(place, ORIGIN, clock, lambda: None)
    for sequence in (1, 2, 2, 3):
        clock.turn(1)
        refused.refuse(put("a", sequence), INVALID)
    before = (tmp_path / "dead").read_bytes()
    first, second, third = place.letters()
    place.settle(second)
    assert list(place.letters()) == [first, third]
    assert (tmp_path / "dead").read_bytes() == before


def test_letters_go_to_a_queue_and_come_back(
    moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By URL or by ARN; a settled letter leaves the queue."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto_url)
    sqs = boto3.client("sqs", region_name="eu-west-1", endpoint_url=moto_url)
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    DeadLetters(open_place(url, "eu-west-1", queues), ORIGIN, HandClock(), lambda: None).refuse(
        put("a", 7, n={"N": "1"}), INVALID
    )
    place = open_place(arn["QueueArn"], "us-east-1", queues)
    (found,) = place.letters()
    assert found.sequence_number == "7" and found.image == {"pk": {"S": "a"}, "n": {"N": "1"}}
    place.settle(found)
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "0"
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_queue_that_is_not_there_is_named(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ARN without a queue behind it is an error of the configuration."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto_url)
    with pytest.raises(ConfigError, match="arn:aws:sqs:eu-west-1:123456789012:none"):
        open_place("arn:aws:sqs:eu-west-1:123456789012:none", "us-east-1", queues)
