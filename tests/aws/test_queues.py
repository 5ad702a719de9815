"""A queue is named by its URL or its ARN, and each of them leads to the other."""

from __future__ import annotations

import uuid

import boto3
import pytest

from kcl_processor.aws.queues import open_queue, queue_arn
from kcl_processor.config.access import DEFAULT
from kcl_processor.errors import ConfigError, ExitCode, OperatorError, PermissionDenied
from tests.edges import Reply, serving

ARN = "arn:aws:sqs:eu-west-1:123456789012:letters"


@pytest.mark.parametrize(
    ("place", "arn"),
    [
        (ARN, ARN),
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/letters", ARN),
        ("https://sqs-fips.eu-west-1.amazonaws.com/123456789012/letters", ARN),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/letters", ARN),
        (
            "https://queue.amazonaws.com/123456789012/letters",
            ARN.replace("eu-west-1", "us-east-1"),
        ),
        ("https://vpce-0a-1b.sqs.eu-west-1.vpce.amazonaws.com/123456789012/letters/", ARN),
        ("http://127.0.0.1:9324/123456789012/letters", ARN.replace("eu-west-1", "us-west-2")),
        ("http://127.0.0.1:9324/queue/letters", "arn:aws:sqs:us-west-2:*:letters"),
        ("https://cn-north-1.queue.amazonaws.com.cn/1/letters", "arn:aws:sqs:cn-north-1:1:letters"),
        ("http://queue.example.com/123456789012/letters", ARN.replace("eu-west-1", "us-west-2")),
    ],
)
def test_the_arn_is_in_the_name(place: str, arn: str) -> None:
    """SQS makes the one of the other; where a URL tells no region or no account, it is the task's
    region, and any account."""
    assert queue_arn(place, "us-west-2", "aws") == arn


def test_the_arn_is_of_the_partition() -> None:
    """A URL does not tell it."""
    place = "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/letters"
    assert queue_arn(place, "", "aws-cn") == "arn:aws-cn:sqs:cn-north-1:123456789012:letters"


def test_the_arn_is_the_one_that_sqs_gives(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And by it the queue is found again."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto_url)
    sqs = boto3.client("sqs", region_name="eu-west-1", endpoint_url=moto_url)
    url = sqs.create_queue(QueueName=f"letters-{uuid.uuid4().hex}")["QueueUrl"]
    said = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    assert queue_arn(url, "eu-west-1", "aws") == said["QueueArn"]
    assert open_queue(said["QueueArn"], "us-east-1", DEFAULT).url == url


@pytest.mark.parametrize(
    ("code", "status", "kind", "exit_code"),
    [
        ("QueueDoesNotExist", 400, ConfigError, ExitCode.CONFIG),
        ("AccessDeniedException", 400, PermissionDenied, ExitCode.PERMISSION),
        ("ServiceUnavailable", 503, OperatorError, ExitCode.CRASH),
    ],
)
def test_a_queue_that_cannot_be_found_is_told_apart_from_one_that_may_be_soon(
    code: str,
    status: int,
    kind: type[OperatorError],
    exit_code: ExitCode,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A supervisor starts again after an outage of SQS, and leaves a daemon alone whose task names
    no queue."""
    with serving(lambda _request: Reply.of({"__type": f"com.amazonaws.sqs#{code}"}, status)) as sqs:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", sqs.url)
        # A region of its own, as clients are kept.
        place = f"arn:aws:sqs:{uuid.uuid4().hex}:123456789012:none"
        with pytest.raises(kind, match=place) as raised:
            open_queue(place, "us-east-1", DEFAULT)
    assert raised.value.exit_code == exit_code and raised.value.hint
