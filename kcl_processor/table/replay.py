"""Dead letters applied again, each only if its key has not changed since.

The daemon goes on after a dead letter, so the source may hold a newer item by now, which the
daemon has written or will write. A letter is applied only if the source's item still is what the
letter says; and only over the very item that was found on the destination before the source was
read, so that a newer one that arrives in between is left alone.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import orjson

from kcl_processor.aws.wire import Answer, Endpoint
from kcl_processor.errors import OperatorError
from kcl_processor.state.dead_letters import DeadLetter

Item = dict[str, Any]


class Outcome(Enum):
    """What became of one letter."""

    APPLIED = "applied"
    CHANGED = "changed since"
    REFUSED = "refused again"


class ItemTable:
    """One table's items, by key, in DynamoDB JSON."""

    def __init__(self, table: str, endpoint: Endpoint, error: type[OperatorError]) -> None:
        self._table = table
        self._endpoint = endpoint
        self._error = error

    def read(self, key: Item) -> Item | None:
        """The item as it is now.

        Raises:
            OperatorError: it cannot be read.
        """
        answer = self._call("GetItem", {"Key": key, "ConsistentRead": True})
        if answer.error:
            raise self._failed("dynamodb:GetItem", answer)
        return answer.body.get("Item")

    def replace(self, key: Item, found: Item | None, image: Item | None) -> Outcome:
        """Put ``image``, or delete the item, if the item still is what was ``found``.

        Raises:
            OperatorError: the table cannot be written at all.
        """
        write = {"Key": key} if image is None else {"Item": image}
        operation = "DeleteItem" if image is None else "PutItem"
        answer = self._call(operation, {**write, **unchanged(key, found, image)})
        if not answer.error:
            return Outcome.APPLIED
        if answer.error == "ConditionalCheckFailedException":
            return Outcome.CHANGED
        if answer.error == "ValidationException":
            return Outcome.REFUSED
        raise self._failed(f"dynamodb:{operation}", answer)

    def _call(self, operation: str, body: Item) -> Answer:
        return self._endpoint.call(operation, orjson.dumps({"TableName": self._table, **body}))

    def _failed(self, action: str, answer: Answer) -> OperatorError:
        return self._error(
            f"{action} on table {self._table} failed ({answer.error}: {answer.message}).",
            "mend its cause, then kcl-processor replay again; what was applied is noted",
        )


def replay(letter: DeadLetter, source: ItemTable, destination: ItemTable) -> Outcome:
    """Apply one letter, if its key has not changed since.

    Raises:
        OperatorError: a table cannot be read or written at all.
    """
    found = destination.read(letter.key)
    if comparable(source.read(letter.key)) != comparable(letter.image):
        return Outcome.CHANGED
    if comparable(found) == comparable(letter.image):
        return Outcome.APPLIED
    return destination.replace(letter.key, found, letter.image)


def unchanged(key: Item, found: Item | None, image: Item | None) -> Item:
    """The members of a write that make it conditional on the item still being what was found.

    The attributes of ``found`` must be equal, and those that only ``image`` brings must not be
    there yet.
    """
    if found is None:
        return {
            "ConditionExpression": "attribute_not_exists(#k)",
            "ExpressionAttributeNames": {"#k": next(iter(key))},
        }
    names = list(found) + [name for name in image or {} if name not in found]
    terms = [f"#{n} = :{n}" for n in range(len(found))]
    terms += [f"attribute_not_exists(#{n})" for n in range(len(found), len(names))]
    return {
        "ConditionExpression": " AND ".join(terms),
        "ExpressionAttributeNames": {f"#{n}": name for n, name in enumerate(names)},
        "ExpressionAttributeValues": {f":{n}": found[names[n]] for n in range(len(found))},
    }


def comparable(node: Any) -> Any:
    """DynamoDB JSON with its sets in one order, so that equal items are equal values."""
    if isinstance(node, list):
        return [comparable(child) for child in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((kind, value),) = node.items()
        if kind in ("SS", "NS", "BS") and isinstance(value, list):
            return {kind: sorted(value)}
    return {name: comparable(child) for name, child in node.items()}
