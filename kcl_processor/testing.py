"""For tests of rules: what a recorded stream becomes under them, without a table or a service.

::

    from kcl_processor.testing import Write, read_records, rehearse
    from mypackage.rules import flatten

    def test_a_draft_leaves_the_replica():
        records = read_records("tests/a-draft.jsonl")
        assert rehearse(records, flatten) == [Write({"id": "7"}, None, "442158450000000000004603")]

Records are as ``GetRecords`` answers them, or as a Lambda function is given them. They are read and
made into writes by what a record processor does it with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import orjson

from kcl_processor.aws.wire import Answer
from kcl_processor.config.task import SKIP, Task
from kcl_processor.config.yaml_file import find_task, load_tasks
from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.delivery import RuledReader
from kcl_processor.transform.function import Function, ItemChange
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import RuleFailed, Transform
from kcl_processor.transform.values import item_of

__all__ = ["ItemChange", "Record", "RuleFailed", "Write", "read_records", "rehearse", "task_of"]

# What does not have the form of a record raises one of these.
_MALFORMED = (
    ArithmeticError,
    AttributeError,
    KeyError,
    StopIteration,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Record:
    """One record of a stream, as a record processor gets it.

    Attributes:
        keys: name of a key attribute to its type, S, N or B.
    """

    binary_data: bytes
    sequence_number: str
    keys: Mapping[str, str]


@dataclass(frozen=True)
class Write:
    """One write on the replica, as plain Python; as boto3's tables have it.

    Attributes:
        item: ``None`` for a deletion.
        sequence_number: of the record that it comes from.
    """

    key: Mapping[str, Any]
    item: Mapping[str, Any] | None
    sequence_number: str


def read_records(path: str | Path) -> list[Record]:
    """The records of a file: one a line, or lists of them under ``Records``, as ``GetRecords``
    answers and Lambda's events have it.

    Raises:
        ValueError: a line is no record of a stream; names file and line.
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        # A whole answer or event, however it is laid out.
        lines = [(1, json.loads(text))]
    except ValueError:
        lines = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                lines.append((number, _json(line, f"{path}:{number}")))
    return [
        record_of(found, f"{path}:{number}")
        for number, content in lines
        for found in _records_in(content)
    ]


def record_of(found: Mapping[str, Any], place: str = "the record") -> Record:
    """A record of a stream.

    Args:
        found: as ``GetRecords`` answers it, or as a Lambda function is given it.
        place: where it is from, for the error.

    Raises:
        ValueError: it is none.
    """
    try:
        body = dict(found["dynamodb"])
        keys = {name: next(iter(value)) for name, value in body["Keys"].items()}
        body["ApproximateCreationDateTime"] = _milliseconds(body.get("ApproximateCreationDateTime"))
        data = orjson.dumps({**found, "dynamodb": body})
        return Record(data, str(body["SequenceNumber"]), keys)
    except _MALFORMED as error:
        said = f"{type(error).__name__}: {error}"
        raise ValueError(f"{place} is no record of a stream ({said})") from error


def task_of(file: str | Path, name: str | None = None) -> Task:
    """A task of a YAML file, whose rules are to be tried.

    Raises:
        ConfigError: the file is wrong, or does not hold that task.
    """
    return find_task(load_tasks(Path(file)), name, Path(file))


def rehearse(
    records: Iterable[Record],
    rules: Task | Rules | Function,
    destination_keys: Mapping[str, str] | None = None,
) -> list[Write]:
    """The writes that records come to under rules, in their order.

    Args:
        rules: a task with its rules and ``ttl_deletes``, rules alone, or a function of a change.
        destination_keys: name of a key attribute of the replica to its type, S, N or B; the
            source's if they are not given.

    Raises:
        RuleFailed: a rule fails for a record; the error of a function is its cause.
        OperatorError: a record cannot be understood, or lacks an image; or a rule cannot be
            compiled or found.
    """
    some = list(records)
    if not some:
        return []
    watched = None if isinstance(rules, Task | Rules) else _Watched(rules)
    own = _rules_of(rules)
    keys = some[0].keys
    transform = Transform(own, keys, destination_keys or keys, function=watched)
    keep_expired = isinstance(rules, Task) and rules.ttl_deletes == SKIP
    reader = RuledReader(
        transform, _Raises(watched), Breaker("the replica"), keep_expired=keep_expired
    )
    return [_write(change) for change in reader.read(some)[1]]


class _Watched:
    """A function whose last error is kept: what becomes a :class:`RuleFailed` tells its kind."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self.error: Exception | None = None

    def __call__(self, change: ItemChange) -> Mapping[str, Any] | None:
        self.error = None
        try:
            return self._function(change)
        except Exception as error:
            self.error = error
            raise


class _Raises:
    """Nothing is set aside in a test."""

    def __init__(self, watched: _Watched | None) -> None:
        self._watched = watched

    def refuse(self, change: Change, answer: Answer) -> NoReturn:
        failed = RuleFailed(f"record {change.sequence_number}: {answer.message}")
        raise failed from (self._watched.error if self._watched else None)


def _rules_of(rules: Task | Rules | Function) -> Rules:
    if isinstance(rules, Task):
        return rules.rules or Rules()
    return rules if isinstance(rules, Rules) else Rules()


def _write(change: Change) -> Write:
    item = None if change.image is None else item_of(orjson.loads(change.image))
    return Write(item_of(orjson.loads(change.key)), item, change.sequence_number)


def _records_in(content: Any) -> list[Any]:
    if isinstance(content, dict) and isinstance(content.get("Records"), list):
        return list(content["Records"])
    return content if isinstance(content, list) else [content]


def _milliseconds(time: float | str | datetime | None) -> int:
    """What a record processor is told, of seconds since the epoch, or of a date."""
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    if isinstance(time, datetime):
        return int(time.timestamp() * 1000)
    return int(Decimal(str(time or 0)) * 1000)


def _json(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"{place} is no JSON: {error}") from None
