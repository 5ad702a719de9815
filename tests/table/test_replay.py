"""Dead letters: kept in files and queues, applied again only if their key has not changed since."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from kcl_processor.aws.credentials import session
from kcl_processor.aws.wire import Endpoint
from kcl_processor.errors import ConfigError, DestinationError
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.refusals import DeadLetters, Origin
from kcl_processor.state.dead_letters import DeadLetter, LetterFile, open_place
from kcl_processor.table.replay import ItemTable, Outcome, comparable, replay
from tests.fakes import INVALID, HandClock, put, remove

# A client, the name of its table, and the table as the replay sees it.
Side = tuple[Any, str, ItemTable]

ORIGIN = Origin("task", "source", "replica", "shard-1")
OLD = {"pk": {"S": "a"}, "v": {"N": "1"}, "tags": {"SS": ["x", "y"]}}
NEW = {"pk": {"S": "a"}, "v": {"N": "2"}, "extra": {"M": {"b": {"BOOL": True}}}}


@pytest.fixture
def tables(moto_url: str) -> Iterator[list[Side]]:
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    made = []
    for name in ("replay-source", "replay-destination"):
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        wire = Endpoint("us-east-1", moto_url, session("us-east-1").get_credentials(), 1)
        made.append((client, name, ItemTable(name, wire, DestinationError)))
    yield made
    for name in ("replay-source", "replay-destination"):
        client.delete_table(TableName=name)


def hold(side: Side, item: dict[str, Any]) -> None:
    client, name, _ = side
    client.put_item(TableName=name, Item=item)


def held(side: Side) -> dict[str, Any] | None:
    client, name, _ = side
    found: dict[str, Any] | None = client.get_item(TableName=name, Key={"pk": {"S": "a"}}).get(
        "Item"
    )
    return found


def letter(place: LetterFile, change: Change) -> DeadLetter:
    DeadLetters(place, ORIGIN, HandClock(), lambda: None).refuse(change, INVALID)
    (found,) = place.letters()
    return found


def change(item: dict[str, Any]) -> Change:
    attributes = {name: value for name, value in item.items() if name != "pk"}
    return put("a", 7, **attributes)


def test_a_letter_is_applied_if_the_source_still_says_so(
    tables: list[Side], tmp_path: Path
) -> None:
    """Over an older item, over none, and as a deletion."""
    source, destination = tables
    hold(source, NEW)
    found = letter(LetterFile(tmp_path / "dead"), change(NEW))
    assert replay(found, source[2], destination[2]) is Outcome.APPLIED
    hold(destination, OLD)
    assert replay(found, source[2], destination[2]) is Outcome.APPLIED
    assert held(destination) == NEW
    source[0].delete_item(TableName=source[1], Key={"pk": {"S": "a"}})
    deletion = letter(LetterFile(tmp_path / "deletion"), remove("a", 8))
    assert replay(deletion, source[2], destination[2]) is Outcome.APPLIED
    assert held(destination) is None


def test_a_letter_whose_key_has_changed_since_is_not_applied(
    tables: list[Side], tmp_path: Path
) -> None:
    """A newer change at the source is the daemon's to bring; an older one never overwrites it."""
    source, destination = tables
    hold(source, NEW)
    hold(destination, NEW)
    old = letter(LetterFile(tmp_path / "dead"), change(OLD))
    assert replay(old, source[2], destination[2]) is Outcome.CHANGED
    assert held(destination) == NEW


@pytest.mark.parametrize("before", [None, OLD])
def test_a_change_that_arrives_meanwhile_is_left_alone(
    tables: list[Side], tmp_path: Path, before: dict[str, Any] | None
) -> None:
    """What the daemon writes between our reading and our writing stays."""
    source, destination = tables
    newer = {**NEW, "v": {"N": "3"}}
    hold(source, NEW)
    if before:
        hold(destination, before)
    found = letter(LetterFile(tmp_path / "dead"), change(NEW))

    class Meanwhile(ItemTable):
        def __init__(self) -> None:
            pass

        def read(self, key: dict[str, Any]) -> dict[str, Any] | None:
            hold(destination, newer)
            return source[2].read(key)

    assert replay(found, Meanwhile(), destination[2]) is Outcome.CHANGED
    assert held(destination) == newer


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
    DeadLetters(open_place(url, "eu-west-1"), ORIGIN, HandClock(), lambda: None).refuse(
        put("a", 7, n={"N": "1"}), INVALID
    )
    place = open_place(arn["QueueArn"], "us-east-1")
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
        open_place("arn:aws:sqs:eu-west-1:123456789012:none", "us-east-1")


def test_sets_compare_without_order_and_maps_with_their_names() -> None:
    """An attribute may be called like a type."""
    assert comparable({"s": {"SS": ["b", "a"]}}) == comparable({"s": {"SS": ["a", "b"]}})
    assert comparable({"SS": {"S": "x"}}) == {"SS": {"S": "x"}}
    assert comparable({"l": {"L": [{"S": "b"}, {"S": "a"}]}}) != comparable(
        {"l": {"L": [{"S": "a"}, {"S": "b"}]}}
    )
