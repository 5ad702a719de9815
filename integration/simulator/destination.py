"""The simulated destination: DynamoDB's write rules, over memory or over DynamoDB Local."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from integration.simulator.faults import Faults
from integration.simulator.items import Item, Key, item_size
from integration.simulator.judge import Judge
from integration.simulator.tables import TableReader
from integration.simulator.wire import ServiceError, only, required

Write = tuple[Key, Item | None]
MAX_WRITES = 25
MAX_ITEM_BYTES = 400 * 1024
UNIT_BYTES = 1024
WRITES = frozenset(("BatchWriteItem", "PutItem", "DeleteItem"))


class Destination:
    """Checks writes as DynamoDB does, applies them to `items`, and tells the judge.

    Only the one table exists. What is not simulated is refused by name: conditions, updates,
    transactions. With `conditional`, DynamoDB Local decides about conditions.
    """

    def __init__(self, table: str, region: str, judge: Judge, faults: Faults) -> None:
        self.conditional = False
        # Secondary indexes that each write is written to, as well, and the units that were told.
        self.indexes = 0
        self.consumed = 0.0
        self.items: dict[Key, bytes] = {}
        self.reader = TableReader(table, region, self.items)
        self._judge = judge
        self._faults = faults
        self.reads: dict[str, Callable[[dict[str, Any]], bytes]] = {
            "DescribeTable": lambda body: self.reader.describe(body, None, ""),
            "GetItem": self.reader.get_item,
            "BatchGetItem": self.reader.batch_get_item,
            "Scan": self.reader.scan,
        }

    def writes_in(self, operation: str, body: dict[str, Any], size: int) -> list[Write]:
        """Return the writes of a request of `size` bytes. Raises ServiceError if a rule refuses it.

        Only a request larger than an item may be can hold one that is too large; measuring every
        item would cost more than all the rest.
        """
        if not self.conditional:
            only(body, "RequestItems", "TableName", "Item", "Key")
        if operation == "BatchWriteItem":
            writes = self._batch(body)
        elif operation == "PutItem":
            self.reader.check(body)
            writes = [self._put(required(body, "Item"))]
        else:
            self.reader.check(body)
            writes = [(self.reader.key(required(body, "Key"), exact=True), None)]
        if size > MAX_ITEM_BYTES:
            _check_sizes(writes)
        poison = self._faults.poisoned(operation)
        if any(key[0] in poison for key, _ in writes):
            raise ServiceError(
                "ValidationException", "One or more parameter values were invalid: poison"
            )
        return writes

    def _batch(self, body: dict[str, Any]) -> list[Write]:
        requests = required(body, "RequestItems")
        for table in requests:
            self.reader.check({"TableName": table})
        flat = [request for of_table in requests.values() for request in of_table]
        if not 1 <= len(flat) <= MAX_WRITES:
            raise ServiceError("ValidationException", "Too many items requested, or none")
        writes = [self._write(request) for request in flat]
        if len({key for key, _ in writes}) < len(writes):
            raise ServiceError(
                "ValidationException", "Provided list of item keys contains duplicates"
            )
        return writes

    def _write(self, request: dict[str, Any]) -> Write:
        ((kind, content),) = request.items()
        if kind == "PutRequest":
            return self._put(content["Item"])
        return self.reader.key(content["Key"], exact=True), None

    def _put(self, item: Item) -> Write:
        return self.reader.key(item, exact=False), item

    def withhold(self, operation: str, writes: list[Write]) -> tuple[list[Write], list[Write]]:
        """Throw the dice for `unprocessed`; return the writes to apply and those to hand back.

        Only BatchWriteItem can hand back; set the fault for it. Raises ServiceError if no write is
        left: the call then fails as a whole.
        """
        if not self._faults.can_happen("unprocessed", operation):
            return writes, []
        applied: list[Write] = []
        withheld: list[Write] = []
        for write in writes:
            back = self._faults.happens("unprocessed", operation)
            (withheld if back else applied).append(write)
        if not applied:
            raise ServiceError("ProvisionedThroughputExceededException")
        return applied, withheld

    def apply(self, writes: list[Write]) -> None:
        """Write to memory."""
        for key, item in writes:
            if item is None:
                self.items.pop(key, None)
            else:
                self.items[key] = orjson.dumps(item)

    def tell(self, writes: list[Write], writer: str) -> None:
        """Tell the judge what was applied."""
        for key, item in writes:
            version = None if item is None else int(item.get("ver", {}).get("N", 0))
            self._judge.arrived(key, version, writer)

    def answer(self, operation: str, withheld: list[Write], units: float | None = None) -> bytes:
        """Return the answer to a write of which `withheld` was not applied.

        `units` are those that the rest consumed, where the request asks for them.
        """
        if operation != "BatchWriteItem":
            return b"{}"
        body: dict[str, Any] = {"UnprocessedItems": {}}
        if withheld:
            requests = [self.request(write) for write in withheld]
            body["UnprocessedItems"] = {self.reader.name: requests}
        if units is not None:
            told = {"TableName": self.reader.name, "CapacityUnits": units}
            body["ConsumedCapacity"] = [told]
        return orjson.dumps(body)

    def units(self, writes: list[Write]) -> float:
        """Count the capacity units of writes, and return them."""
        sizes = (item_size(item) if item else 1 for _, item in writes)
        units = float((1 + self.indexes) * sum(-(-size // UNIT_BYTES) for size in sizes))
        self.consumed += units
        return units

    def request(self, write: Write) -> dict[str, Any]:
        """Return `write` as a member of RequestItems."""
        key, item = write
        if item is not None:
            return {"PutRequest": {"Item": item}}
        return {"DeleteRequest": {"Key": self.reader.attributes(key)}}


def _check_sizes(writes: list[Write]) -> None:
    if any(item is not None and item_size(item) > MAX_ITEM_BYTES for _, item in writes):
        raise ServiceError("ValidationException", "Item size has exceeded the maximum allowed size")
