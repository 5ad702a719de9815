"""The daemon's side of the MultiLang protocol, for tests that speak to a real record processor."""

from __future__ import annotations

import base64
import json
from typing import IO, Any

import orjson

INITIALIZE = {
    "action": "initialize",
    "shardId": "shard-1",
    "sequenceNumber": "TRIM_HORIZON",
    "subSequenceNumber": 0,
}


class DaemonSide:
    """Speaks to one record processor.

    Args:
        stdin, stdout: those of the record processor.
    """

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self.stdin = stdin
        self.stdout = stdout

    def say(self, message: dict[str, Any]) -> None:
        self.stdin.write(json.dumps(message) + "\n")
        self.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next message; every line on stdout must be one, or empty as kclpy makes them."""
        line = self.stdout.readline()
        message: dict[str, Any] = json.loads(line) if line != "\n" else self.hear()
        return message

    def do(self, action: dict[str, Any]) -> list[str]:
        """Have an action done, with every checkpoint granted; gives the checkpoints."""
        self.say(action)
        granted = []
        while (message := self.hear())["action"] == "checkpoint":
            granted.append(message["sequenceNumber"])
            self.say({**message, "error": None})
        assert message == {"action": "status", "responseFor": action["action"]}
        return granted


def records(*values: int) -> dict[str, Any]:
    return {
        "action": "processRecords",
        "millisBehindLatest": None,
        "records": [record(101 + n, _insertion(value)) for n, value in enumerate(values)],
    }


def _insertion(value: int) -> dict[str, Any]:
    keys = {"pk": {"S": f"k{value}"}}
    return {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": keys}}


def record(sequence: int, change: dict[str, Any]) -> dict[str, Any]:
    """A record of a delivery, around a change as the stream tells it."""
    return {
        "action": "record",
        "data": base64.b64encode(orjson.dumps(change)).decode(),
        "partitionKey": "k",
        "sequenceNumber": str(sequence),
        "subSequenceNumber": 0,
        "approximateArrivalTimestamp": 0,
    }
