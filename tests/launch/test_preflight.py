"""What run checks before it starts: each failure says what, where, and what to type."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import boto3
import pytest

from kcl_processor.config.task import Kcl, Side, Source, Task
from kcl_processor.errors import (
    ConfigError,
    DestinationError,
    ExitCode,
    OperatorError,
    SourceError,
)
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.launch.preflight import (
    QueueUnseen,
    StreamOff,
    check_destination,
    check_queue,
    check_source,
    refuse_queue,
)
from kcl_processor.table.prepare import plan
from tests.edges import Reply, Request, serving
from tests.kcl_tables import make_task

OTHER = Incarnation("arn:aws:dynamodb:us-east-1:123456789012:table/other", 0.0)
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


@pytest.fixture
def dynamodb(moto_url: str) -> Any:
    return boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)


def table(dynamodb: Any, key: str = "pk", kind: str = "S", **options: Any) -> str:
    name = f"t-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind}],
        BillingMode="PAY_PER_REQUEST",
        **options,
    )
    return name


def source(moto_url: str, name: str, **options: Any) -> Source:
    return Source("us-east-1", name, moto_url, **options)


def task(moto_url: str, name: str, **options: Any) -> Task:
    side = source(moto_url, name)
    kcl = Kcl("us-east-1", moto_url, f"App-{uuid.uuid4().hex[:8]}", "worker")
    return Task("task", side, Side("us-east-1", f"{name}-2", moto_url), kcl, **options)


def replacing(task: Task, destination: str) -> Task:
    """The task with another destination table."""
    return replace(task, destination=replace(task.destination, table=destination))


def test_a_source_with_both_images_passes(moto_url: str, dynamodb: Any) -> None:
    """The facts of a good source are its stream and its keys."""
    facts = check_source(source(moto_url, table(dynamodb, StreamSpecification=STREAM)))
    assert facts.keys == {"pk": ("HASH", "S")} and "/stream/" in facts.stream_arn


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "is off"),
        (
            {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}},
            "shows KEYS_ONLY",
        ),
    ],
)
def test_a_stream_that_cannot_be_replicated_names_the_cure(
    moto_url: str, dynamodb: Any, options: dict[str, Any], says: str
) -> None:
    """No stream, or one without images: the error holds the command that turns it on, there and on
    no table of that name elsewhere."""
    with pytest.raises(SourceError, match=says) as raised:
        check_source(source(moto_url, table(dynamodb, **options)))
    at = f"aws dynamodb update-table --region us-east-1 --endpoint-url {moto_url} --table-name "
    assert at in raised.value.hint


def without_streams(request: Request) -> Reply:
    """An implementation of DynamoDB that has tables only."""
    if request.headers["X-Amz-Target"].endswith(".DescribeTable"):
        created = {"CreationDateTime": 1.0, "TableArn": OTHER.arn, "TableStatus": "ACTIVE"}
        return Reply.of({"Table": {"TableName": "orders", **created}})
    return Reply.of({"__type": "com.amazon.coral.service#UnknownOperationException"}, 400)


def test_a_service_without_streams_can_be_no_source() -> None:
    """It is not told to turn one on."""
    with serving(without_streams) as store:
        with pytest.raises(SourceError, match="has no streams") as raised:
            check_source(source(store.url, "orders"))
        assert store.url in raised.value.message and "prepare" not in raised.value.hint
        task = replace(make_task(store.url), source=source(store.url, "orders"))
        with pytest.raises(SourceError, match="has no streams"):
            plan(task)


def test_a_stream_that_cannot_be_asked_for_is_off_all_the_same(
    moto_url: str, dynamodb: Any
) -> None:
    """Whether there are streams is then not known."""
    off = replace(source(moto_url, table(dynamodb)), streams_endpoint="http://127.0.0.1:1")
    with pytest.raises(StreamOff):
        check_source(off)


def test_a_missing_source_is_named(moto_url: str) -> None:
    """A typing error in a table's name is told with table and region."""
    with pytest.raises(SourceError, match="nothing-here in us-east-1"):
        check_source(source(moto_url, "nothing-here"))


def test_another_stream_than_the_tasks_is_refused(moto_url: str, dynamodb: Any) -> None:
    """A task that names a stream does not go on with another one."""
    name = table(dynamodb, StreamSpecification=STREAM)
    with pytest.raises(SourceError, match="turned off and on again"):
        check_source(source(moto_url, name, stream_arn="arn:old"))


@pytest.mark.parametrize("other", [{"key": "id"}, {"kind": "N"}])
def test_a_destination_with_other_keys_is_refused(
    moto_url: str, dynamodb: Any, other: dict[str, str]
) -> None:
    """Other key names or types are named on both sides."""
    to = replacing(task(moto_url, "a"), table(dynamodb, **other))
    with pytest.raises(DestinationError, match="pk S HASH"):
        check_destination(to, {"pk": ("HASH", "S")}, OTHER)


def test_a_missing_destination_names_the_command_that_makes_it(moto_url: str) -> None:
    """prepare creates it."""
    with pytest.raises(DestinationError) as raised:
        check_destination(replacing(task(moto_url, "a"), "nothing-here"), {}, OTHER)
    assert "kcl-processor prepare" in raised.value.hint


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    """The error is one line about the endpoint, and worth a restart: an outage may pass."""
    with pytest.raises(OperatorError, match=r"127\.0\.0\.1:9") as raised:
        check_source(source("http://127.0.0.1:9", "t"))
    assert raised.value.exit_code == ExitCode.CRASH


@pytest.fixture
def queue(moto_url: str) -> str:
    """The URL of a queue."""
    sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=moto_url)
    return str(sqs.create_queue(QueueName=f"letters-{uuid.uuid4().hex}")["QueueUrl"])


def test_a_queue_of_dead_letters_passes_with_the_time_that_it_keeps_them(queue: str) -> None:
    """SQS' own four days, unless somebody chose otherwise."""
    assert check_queue(make_task(dead_letters=queue), queue) == 4 * 24 * 3600


def test_a_mistyped_queue_is_named(queue: str) -> None:
    """No letter was ever put there, and the first would be too late."""
    with pytest.raises(ConfigError, match=f"{queue}x") as raised:
        check_queue(make_task(), f"{queue}x")
    assert "dead_letters" in raised.value.hint


def test_a_fifo_queue_takes_no_letter(moto_url: str) -> None:
    """It asks each message for its group."""
    sqs = boto3.client("sqs", region_name="us-east-1", endpoint_url=moto_url)
    fifo = {"QueueName": f"letters-{uuid.uuid4().hex}.fifo", "Attributes": {"FifoQueue": "true"}}
    url = sqs.create_queue(**fifo)["QueueUrl"]
    with pytest.raises(sqs.exceptions.ClientError, match="MessageGroupId"):
        sqs.send_message(QueueUrl=url, MessageBody="letter")
    with pytest.raises(ConfigError, match="FIFO"):
        check_queue(make_task(), url)


def answering(code: str, status: int = 400) -> Any:
    """An SQS that says the same to whatever it is asked."""
    return serving(lambda _request: Reply.of({"__type": f"com.amazonaws.sqs#{code}"}, status))


def test_a_queue_that_may_not_be_seen_may_be_written_all_the_same() -> None:
    """A start goes on and says so; nothing is known to be wrong."""
    told: list[str] = []
    with answering("AccessDeniedException") as sqs:
        place = f"{sqs.url}/123456789012/letters"
        with pytest.raises(QueueUnseen, match="sqs:GetQueueAttributes"):
            check_queue(make_task(), place)
        refuse_queue(make_task(dead_letters=place, on_poison="dead-letter"), told.append)
    (line,) = told
    assert "sqs:GetQueueAttributes" in line and "first letter" in line


@pytest.mark.parametrize(
    ("code", "status", "exit_code"),
    [
        ("QueueDoesNotExist", 400, ExitCode.CONFIG),
        ("InvalidClientTokenId", 403, ExitCode.PERMISSION),
        ("ServiceUnavailable", 503, ExitCode.CRASH),
    ],
)
def test_a_start_is_refused_a_queue_that_takes_no_letter(
    code: str, status: int, exit_code: ExitCode
) -> None:
    """For as long as it takes none: credentials may be renewed, an outage passes."""
    with answering(code, status) as sqs:
        place = f"{sqs.url}/123456789012/letters"
        task = make_task(dead_letters=place, on_poison="dead-letter")
        with pytest.raises(OperatorError, match=place) as raised:
            refuse_queue(task, pytest.fail)
    assert raised.value.exit_code == exit_code and not isinstance(raised.value, QueueUnseen)


def test_a_queue_that_gets_no_letters_stops_no_start(queue: str) -> None:
    """on_poison: stop sets nothing aside; nor is a file asked for."""
    refuse_queue(make_task(dead_letters=f"{queue}x"), pytest.fail)
    refuse_queue(make_task(dead_letters="file", on_poison="dead-letter"), pytest.fail)
