"""Dead letters: durable, complete, and silent about values where people read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import PoisonError
from kcl_processor.replicate.refusals import DeadLetters, Origin, without_values
from kcl_processor.state.dead_letters import LetterFile
from tests.fakes import INVALID, HandClock, put, remove

ORIGIN = Origin("task", "source", "replica", "shard-1")


def letters(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_dead_letter_holds_what_is_needed_to_apply_the_change_again(tmp_path: Path) -> None:
    """Key, image, place in the stream and the service's reason are in one line each."""
    path = tmp_path / "sub" / "dead.jsonl"
    counted: list[int] = []
    file = DeadLetters(
        LetterFile(path), ORIGIN, HandClock(), lambda: counted.append(1), HandClock().turn
    )
    file.refuse(put("a", 7, n={"N": "1"}), INVALID)
    file.refuse(remove("b", 8), INVALID)
    first, second = letters(path)
    assert first["image"] == {"pk": {"S": "a"}, "n": {"N": "1"}}
    assert (first["sequenceNumber"], first["shardId"]) == ("7", "shard-1")
    assert (second["key"], second["image"]) == ({"pk": {"S": "b"}}, None)
    assert len(counted) == 2 and path.stat().st_mode & 0o777 == 0o600


def test_a_dead_letter_that_cannot_be_written_stops(tmp_path: Path) -> None:
    """Without a durable letter the change must not be passed over."""
    (tmp_path / "file").write_text("")
    file = DeadLetters(
        LetterFile(tmp_path / "file" / "dead"), ORIGIN, HandClock(), lambda: None, HandClock().turn
    )
    with pytest.raises(PoisonError, match="cannot be written"):
        file.refuse(put("a", 7), INVALID)


def test_a_full_disk_stops(tmp_path: Path) -> None:
    """A line that does not reach the disk whole is an error."""
    file = DeadLetters(
        LetterFile(type(tmp_path)("/dev/full")), ORIGIN, HandClock(), lambda: None, HandClock().turn
    )
    with pytest.raises(PoisonError, match="No space left"):
        file.refuse(put("a", 7), INVALID)


def test_values_are_blotted_out_of_messages() -> None:
    """A message that quotes the item's values reaches the log without them, however nested."""
    change = put("customer-9", 1, doc={"M": {"card": {"L": [{"S": "4111-1111"}]}}})
    message = "bad value 4111-1111 of customer-9"
    assert without_values(message, change) == "bad value … of …"


def test_a_reply_about_the_request_keeps_its_words() -> None:
    """Nothing is blotted out that is not a value."""
    message = Answer(400, "ValidationException", "Item size has exceeded the maximum").message
    assert without_values(message, put("abc", 1)) == message
