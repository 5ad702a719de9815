"""What a change costs, in counts that no machine's speed moves: a rise here is a slower product."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from amazon_kclpy import kcl
from botocore.awsrequest import AWSPreparedRequest

from kcl_processor.aws import wire
from kcl_processor.replicate import batch as batch_module
from kcl_processor.replicate import change, checkpoint, decode, destination, write
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.delivery import PlainReader
from kcl_processor.replicate.processor import ReplicaProcessor
from kcl_processor.replicate.refusals import Origin, StopOnRefusal
from tests.endpoints import endpoint_at
from tests.fakes import HandClock
from tests.replicate import daemon_side

RECORDS = 1000
ORIGIN = Origin("task", "source", "replica", "s")
IMAGE = {"pk": {"S": "k"}, "text": {"S": "x" * 1000}}


class CountingJson:
    """orjson, with its calls and its bytes counted under a name."""

    OPT_SORT_KEYS = orjson.OPT_SORT_KEYS
    JSONDecodeError = orjson.JSONDecodeError

    def __init__(self, counts: Counter[str], name: str) -> None:
        self._counts, self._name = counts, name

    def loads(self, data: bytes) -> Any:
        self._counts[f"{self._name} parses"] += 1
        return orjson.loads(data)

    def dumps(self, value: Any, option: int | None = None) -> bytes:
        made = orjson.dumps(value, option=option)
        self._counts[f"{self._name} bytes made"] += len(made)
        return made


class CountingSession:
    """An HTTP session that answers every batch with success."""

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts

    def send(self, request: object) -> SimpleNamespace:
        assert isinstance(request, AWSPreparedRequest)
        self._counts["requests"] += 1
        self._counts["bytes sent"] += len(request.body)
        content = b'{"UnprocessedItems":{}}'
        return SimpleNamespace(status_code=200, content=content, headers={})


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    for module in (change, decode, wire, batch_module, destination):
        _, _, name = module.__name__.rpartition(".")
        monkeypatch.setattr(module, "orjson", CountingJson(counted, name))
    monkeypatch.setattr(wire, "Session", lambda **_options: CountingSession(counted))
    return counted


def deliver(counts: Counter[str], batches: int) -> None:
    """Have kclpy deliver batches of a thousand records of distinct keys, half a second apart."""
    lines = [json.dumps({**daemon_side.INITIALIZE, "sequenceNumber": "0"})]
    lines += [batch(number) for number in range(batches)]
    clock = HandClock()
    endpoint = endpoint_at("http://localhost", connections=4, clock=clock)
    table = destination.DestinationTable("replica", endpoint)
    pool = ThreadPoolExecutor(4)
    position = checkpoint.Position("0", clock, 5.0, 6.0, wait=clock.turn)
    writer = write.Writer(table, StopOnRefusal(ORIGIN), clock, clock.turn, Window(largest=4), pool)
    shard = SimpleNamespace(
        reader=PlainReader(),
        writer=writer,
        position=position,
        batch_done=lambda *_batch: clock.turn(0.5),
    )
    processor = ReplicaProcessor(lambda *_of: shard, clock, contextlib.nullcontext, 60)
    answers = Answers(lines, counts)
    kcl.KCLProcess(processor, answers, answers, io.StringIO()).run()
    pool.shutdown()


def batch(number: int) -> str:
    records = [record(number * RECORDS + at) for at in range(RECORDS)]
    return json.dumps({"action": "processRecords", "records": records, "millisBehindLatest": 0})


def record(number: int) -> dict[str, Any]:
    image = {**IMAGE, "pk": {"S": f"{number:09}"}}
    both = {"Keys": {"pk": image["pk"]}, "NewImage": image}
    return daemon_side.record(number + 1, {"eventName": "MODIFY", "dynamodb": both})


class Answers:
    """The daemon's side of the protocol, which grants every checkpoint."""

    def __init__(self, lines: list[str], counts: Counter[str]) -> None:
        self._lines, self._counts = lines, counts

    def readline(self) -> str:
        return self._lines.pop(0) + "\n" if self._lines else ""

    def write(self, text: str) -> None:
        self._counts["bytes answered"] += len(text)
        for line in filter(None, text.splitlines()):
            message = json.loads(line)
            if message["action"] == "checkpoint":
                self._counts["checkpoints"] += 1
                self._lines.insert(0, json.dumps({**message, "error": None}))

    def flush(self) -> None:
        pass


def test_what_a_thousand_changes_cost(counts: Counter[str]) -> None:
    """One parse and one copy of the image a change, one request for 25, one proof of ownership."""
    deliver(counts, batches=1)
    image = len(orjson.dumps({**IMAGE, "pk": {"S": "0" * 9}}))
    key = len(orjson.dumps({"pk": {"S": "0" * 9}}))
    assert counts["decode parses"] == RECORDS
    assert counts["decode bytes made"] == RECORDS * image
    assert counts["change bytes made"] == RECORDS * key
    assert counts["requests"] == RECORDS // 25
    assert counts["wire parses"] == counts["requests"]
    assert counts["batch parses"] == 0
    assert counts["bytes sent"] <= RECORDS * (image + len('{"PutRequest":{"Item":}},')) + 40 * 60
    assert counts["checkpoints"] == 1
    assert counts["bytes answered"] <= 400


def test_checkpoints_do_not_grow_with_batches(counts: Counter[str]) -> None:
    """Ten seconds of two batches a second cost a checkpoint each five seconds, and one."""
    deliver(counts, batches=20)
    assert counts["requests"] == 20 * RECORDS // 25
    assert counts["checkpoints"] <= 3
