"""What a user tests a rule with: a recorded stream, and the writes that it comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.errors import SourceError
from kcl_processor.testing import (
    ItemChange,
    Record,
    RuleFailed,
    Write,
    read_records,
    record_of,
    rehearse,
    task_of,
)
from kcl_processor.transform.rules import Rules

BY_TTL = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


def told(number: int, old: Any, new: Any, **more: Any) -> dict[str, Any]:
    """A record as GetRecords answers it; of a Lambda event it differs in the identity alone."""
    event = "REMOVE" if new is None else "INSERT" if old is None else "MODIFY"
    images = {"OldImage": old, "NewImage": new}
    return {
        "eventID": "e",
        "eventName": event,
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": 1764355200.0,
            "Keys": {"id": (new or old)["id"]},
            **{name: image for name, image in images.items() if image},
            "SequenceNumber": f"4421584500000000000{number}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        **more,
    }


DRAFT = {"id": {"S": "7"}, "status": {"S": "draft"}, "total": {"N": "1.50"}}
PAID = {**DRAFT, "status": {"S": "paid"}}
STREAM = [told(1, None, DRAFT), told(2, DRAFT, PAID), told(3, PAID, DRAFT), told(4, DRAFT, None)]


def flatten(change: ItemChange) -> Mapping[str, Any] | None:
    """A rule as a user writes it."""
    if change.new is None or change.new["status"] == "draft":
        return None
    return {
        "id": change.new["id"],
        "cents": change.new["total"] * 100,
        "at": int(change.created or 0),
    }


def number(place: int) -> str:
    return f"4421584500000000000{place}"


def test_a_function_is_tried_on_a_recorded_stream() -> None:
    """A change that leaves the filter deletes, one that enters it puts."""
    assert rehearse(map(record_of, STREAM), flatten) == [
        Write({"id": "7"}, {"id": "7", "cents": Decimal(150), "at": 1764355200}, number(2)),
        Write({"id": "7"}, None, number(3)),
    ]


def test_rules_are_tried_likewise() -> None:
    """With another key, of which the old goes before the new comes."""
    rules = Rules(set=(("at", "join('#', [id, status])"),), include=("total",))
    writes = rehearse(map(record_of, STREAM), rules, {"at": "S"})
    assert [(write.key["at"], write.item is None) for write in writes] == [
        ("7#draft", False),
        ("7#draft", True),
        ("7#paid", False),
        ("7#paid", True),
        ("7#draft", False),
        ("7#draft", True),
    ]


@pytest.mark.parametrize("identity", [BY_TTL, {n[0].lower() + n[1:]: v for n, v in BY_TTL.items()}])
def test_the_rules_of_a_task_are_tried_as_it_is_written(
    tmp_path: Path, identity: dict[str, str]
) -> None:
    """What time to live deleted, too, in the API's spelling and in Lambda's."""
    text = """\
tasks:
  x:
    source: {region: us-east-1, table: a}
    destination: {region: us-east-1, table: b}
    ttl_deletes: WHAT
    transform: {exclude: [status]}
"""
    stream = [
        record_of(told(1, None, DRAFT)),
        record_of(told(2, DRAFT, None, userIdentity=identity)),
    ]
    found = {}
    for what in ("skip", "apply"):
        (tmp_path / "tasks.yml").write_text(text.replace("WHAT", what))
        found[what] = rehearse(stream, task_of(tmp_path / "tasks.yml"))
    put = Write({"id": "7"}, {"id": "7", "total": Decimal("1.5")}, number(1))
    assert found == {"skip": [put], "apply": [put, Write({"id": "7"}, None, number(2))]}


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(map(json.dumps, STREAM)) + "\n\n",
        json.dumps({"Records": STREAM}),
        json.dumps({"Records": STREAM}, indent=2),
        json.dumps(STREAM),
        "\n".join(json.dumps({"Records": [one], "NextShardIterator": "…"}) for one in STREAM),
    ],
)
def test_a_stream_is_read_however_it_was_recorded(tmp_path: Path, text: str) -> None:
    """A record a line; an answer of GetRecords, or an event of Lambda's, or one a line."""
    path = tmp_path / "stream.jsonl"
    path.write_text(text)
    assert read_records(path) == [record_of(one) for one in STREAM]


def test_one_record_is_a_stream(tmp_path: Path) -> None:
    """It is JSON as a whole, too; and the aws command line writes dates."""
    path = tmp_path / "stream.jsonl"
    dated = told(1, None, PAID)
    dated["dynamodb"]["ApproximateCreationDateTime"] = "2025-11-28T18:40:00+00:00"
    path.write_text(json.dumps(dated))
    (record,) = read_records(path)
    assert isinstance(record, Record) and record.keys == {"id": "S"}
    assert rehearse([record], flatten) == rehearse([record_of(told(1, None, PAID))], flatten)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"eventName": "INSERT"}', "stream.jsonl:1 is no record of a stream"),
        (json.dumps(STREAM[0]) + "\n{\n", "stream.jsonl:2 is no JSON"),
        (json.dumps(STREAM[0]) + "\n7\n", "stream.jsonl:2 is no record of a stream"),
    ],
)
def test_what_is_no_stream_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """As every other file that a person wrote."""
    path = tmp_path / "stream.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_records(path)


def test_a_rule_that_fails_fails_the_test() -> None:
    """With the record; and with the function's own error, which a log never tells."""

    def broken(change: ItemChange) -> Mapping[str, Any]:
        return {"id": (change.new or {})["gone"]}

    with pytest.raises(
        RuleFailed, match=f"record {number(1)}: transform.python: KeyError"
    ) as failed:
        rehearse([record_of(STREAM[0])], broken)
    assert isinstance(failed.value.__cause__, KeyError)
    with pytest.raises(RuleFailed, match="'at' of the replica's item, which is of its key"):
        rehearse([record_of(STREAM[0])], Rules(), {"at": "S"})


def test_a_record_without_an_image_that_is_needed_is_told() -> None:
    """As the task would stop."""
    keys_only = told(1, DRAFT, PAID)
    del keys_only["dynamodb"]["OldImage"]
    with pytest.raises(SourceError, match="no old image"):
        rehearse([record_of(keys_only)], flatten)


def test_nothing_comes_of_nothing() -> None:
    """An empty stream has no keys either."""
    assert rehearse([], flatten) == []
