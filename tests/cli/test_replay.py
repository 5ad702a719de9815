"""`replay` applies what was set aside, and says what became of it."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from kcl_processor.aws import clients
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from tests.cli.ask import Ask


def test_a_letter_is_applied_once(ask: Ask, file: Path, tmp_path: Path) -> None:
    """A second run finds nothing left to do."""
    (task,) = load_tasks(file)
    item = {"pk": {"S": "a"}, "n": {"N": "1"}}
    clients.tables(task.source).put_item(TableName=task.source.table, Item=item)
    letter = {"task": task.name, "shardId": "s", "sequenceNumber": "7", "key": {"pk": {"S": "a"}}}
    place = tmp_path / "letters.jsonl"
    place.write_text(json.dumps({**letter, "image": item}) + "\n")
    code, said, _ = ask("replay", "--from", str(place), "--json")
    assert code == ExitCode.OK
    counts = json.loads(said)
    assert counts.pop("applied") == 1 and not any(counts.values())
    rows = clients.tables(task.destination).scan(TableName=task.destination.table)["Items"]
    assert rows == [item]
    code, said, told = ask("replay", "--from", str(place), "--json")
    assert (code, sum(json.loads(said).values())) == (ExitCode.OK, 0)
    assert f"are open in {place}" in told


def test_what_a_rule_prints_is_no_part_of_the_result(ask: Ask, file: Path, tmp_path: Path) -> None:
    """A program reads the JSON."""
    file.write_text(file.read_text() + "    transform: {python: builtins:print}\n")
    (task,) = load_tasks(file)
    item = {"pk": {"S": "a"}}
    clients.tables(task.source).put_item(TableName=task.source.table, Item=item)
    letter = {"task": task.name, "shardId": "s", "sequenceNumber": "7", "key": item, "image": item}
    place = tmp_path / "letters.jsonl"
    place.write_text(json.dumps(letter) + "\n")
    _, said, told = ask("replay", "--from", str(place), "--json")
    assert json.loads(said)["untraced"] == 1 and "ItemChange" in told


def test_letters_that_are_not_there_are_not_replayed(ask: Ask, tmp_path: Path) -> None:
    """A mistyped file is no empty one."""
    for place in (str(tmp_path / "mistyped"), ""):
        code, _, told = ask("replay", "--from", place)
        assert code == ExitCode.CONFIG and "There is no file" in told


def test_what_is_no_queue_is_refused(ask: Ask) -> None:
    """An ARN of something else, or the half of one."""
    for place in ("arn:aws:s3:::letters", "arn:aws:sqs:us-east-1:1"):
        code, _, told = ask("replay", "--from", place)
        assert code == ExitCode.CONFIG and "SQS queue" in told


def test_a_queue_whose_letters_another_replay_has_is_not_said_to_be_empty(
    ask: Ask, file: Path, moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was cut off keeps them for a while: whoever believed in success would lose them."""
    monkeypatch.setattr("kcl_processor.state.dead_letters._LONG_POLL", 0)
    (task,) = load_tasks(file)
    region = task.destination.region
    sqs = boto3.client("sqs", region_name=region, endpoint_url=moto_url)
    url = sqs.create_queue(QueueName="of-two-replays")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a letter")
    (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=900)["Messages"]
    code, said, told = ask("replay", "--from", url)
    assert code == ExitCode.CRASH and not said
    assert "About 1 " in told and url in told and "15 minutes" in told and "are open" not in told
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    code, _, told = ask("replay", "--from", url)
    assert code == ExitCode.OK and "are open" in told


def test_a_letter_whose_end_cannot_be_noted_is_told(ask: Ask, file: Path, tmp_path: Path) -> None:
    """The folder is read-only, or its disk is full: that is an operator's matter."""
    (task,) = load_tasks(file)
    letter = {"task": task.name, "shardId": "s", "sequenceNumber": "7", "key": {"pk": {"S": "a"}}}
    place = tmp_path / "letters.jsonl"
    place.write_text(json.dumps({**letter, "image": None}) + "\n")
    Path(f"{place}.settled").symlink_to(tmp_path / "nowhere" / "file")
    code, said, told = ask("replay", "--from", str(place), "--json")
    assert (code, said) == (ExitCode.CONFIG, "")
    assert f"record 7 of s is applied, and that cannot be noted beside {place}" in told
    assert "kcl-processor replay again" in told
