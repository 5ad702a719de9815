"""Decoding: what the stream says is what the change holds, and nothing is guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kcl_processor.errors import ExitCode, SourceError
from kcl_processor.replicate.decode import decode


def record(event: object = "INSERT", **stream_record: Any) -> bytes:
    stream_record = {
        "Keys": {"pk": {"S": "a"}},
        "NewImage": {"pk": {"S": "a"}, "n": {"N": "12345678901234567890123456789012345678"}},
        "ApproximateCreationDateTime": 1_700_000_000_000,
        **stream_record,
    }
    return json.dumps({"eventName": event, "dynamodb": stream_record}).encode()


@pytest.mark.parametrize("event", ["INSERT", "MODIFY"])
def test_an_insert_or_a_modify_carries_the_whole_new_image(event: str) -> None:
    """INSERT and MODIFY become puts of the new image, with numbers as the text they came as."""
    change = decode(record(event), "7")
    assert change.image is not None
    assert json.loads(change.image)["n"] == {"N": "12345678901234567890123456789012345678"}
    assert (change.sequence_number, change.created_ms) == ("7", 1_700_000_000_000)


def test_a_remove_carries_only_the_key() -> None:
    """REMOVE becomes a delete, whatever images the record shows."""
    change = decode(record("REMOVE", NewImage=None, OldImage={"pk": {"S": "a"}}), "7")
    assert (change.key, change.image) == (b'{"pk":{"S":"a"}}', None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        json.dumps({"eventName": "INSERT"}).encode(),
        json.dumps({"eventName": "INSERT", "dynamodb": []}).encode(),
        record(Keys={}),
        record(Keys=None),
        record(Keys=["pk"]),
        record(NewImage="text"),
        record("UPSERT"),
        record(None),
        record(["INSERT"]),
    ],
)
def test_a_malformed_record_stops_with_its_sequence_number(data: bytes) -> None:
    """What cannot be understood raises, names the record, and shows no contents."""
    with pytest.raises(SourceError, match="Record 4711 ") as raised:
        decode(data, "4711")
    assert raised.value.exit_code == ExitCode.SOURCE


@pytest.mark.parametrize("view", ["KEYS_ONLY", "OLD_IMAGE"])
def test_a_record_without_a_new_image_names_the_view_type(view: str) -> None:
    """A stream that shows no new images cannot be replicated, and the error says which view."""
    with pytest.raises(SourceError, match=view):
        decode(record(NewImage=None, StreamViewType=view), "1")


def test_an_empty_image_is_no_image() -> None:
    """Of a KEYS_ONLY stream the adapter hands over an empty map; it is not written as an item."""
    empty = record(NewImage={}, StreamViewType="KEYS_ONLY")
    with pytest.raises(SourceError, match=r"7 of the stream carries no new image .*KEYS_ONLY"):
        decode(empty, "7")


def test_attributes_of_dynamodbs_own_are_left_out() -> None:
    """No table takes them from anybody else; a value that looks like their names stays."""
    image = {"pk": {"S": "a"}, "aws:rep:deleting": {"BOOL": False}, "note": {"S": '"aws:'}}
    change = decode(record(NewImage=image), "7")
    assert change.image is not None
    assert json.loads(change.image) == {"pk": {"S": "a"}, "note": {"S": '"aws:'}}
