"""Reading a table: pages, and items by key."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import SourceError
from kcl_processor.replicate import change
from kcl_processor.replicate.backoff import Window as CallWindow
from kcl_processor.table import equality, table_reader
from kcl_processor.table.compare import Window
from kcl_processor.table.pace import Gate, Pace
from kcl_processor.table.patience import PatientCalls
from kcl_processor.table.table_reader import Segment, TableReader
from tests.fakes import HandClock


class CountingJson:
    """orjson, with its calls counted under a name."""

    OPT_SORT_KEYS = orjson.OPT_SORT_KEYS

    def __init__(self, counts: Counter[str], name: str) -> None:
        self._counts, self._name = counts, name

    def loads(self, data: bytes) -> Any:
        self._counts[f"{self._name} parsed"] += 1
        return orjson.loads(data)

    def dumps(self, value: Any, option: int | None = None) -> bytes:
        self._counts[f"{self._name} made"] += 1
        return orjson.dumps(value, option=option)


class Service:
    """A table that gives these answers in turn, and keeps what it was asked."""

    def __init__(self, *bodies: dict[str, Any]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._bodies = list(bodies)

    def call(self, _operation: str, body: bytes) -> Answer:
        self.asked.append(orjson.loads(body))
        return Answer(status=200, body=self._bodies.pop(0))


def reader(service: Service, *, consistent: bool = False) -> TableReader:
    """A reader of a table with the keys ``pk`` and ``sk``."""
    clock = HandClock()
    pace, gate = Pace(None, clock, clock.turn), Gate(CallWindow())
    calls = PatientCalls("orders", service, SourceError, pace, gate, clock, clock.turn)
    return TableReader(calls, ["pk", "sk"], page_items=100, consistent=consistent)


def item(pk: int, **attributes: Any) -> dict[str, Any]:
    """An item as the service gives it, its names in no order."""
    return {"z": {"N": "1"}, "sk": {"N": "7"}, "pk": {"N": str(pk)}, **attributes}


def key(pk: int) -> bytes:
    """The canonical key of an item."""
    return b'{"pk":{"N":"%d"},"sk":{"N":"7"}}' % pk


def test_a_page_goes_on_behind_the_key_and_says_where_the_next_one_starts() -> None:
    """Names are sorted at every level, so that equal items are equal bytes."""
    last = {"pk": {"N": "2"}, "sk": {"N": "7"}}
    nested = {"M": {"y": {"S": ""}, "x": {"S": ""}}}
    service = Service(
        {
            "Items": [item(2, a=nested)],
            "LastEvaluatedKey": last,
            "ConsumedCapacity": {"CapacityUnits": 0.5},
        },
        {"Items": []},
    )
    orders = reader(service)
    page = orders.page(Segment(3, 8), {"pk": {"N": "1"}, "sk": {"N": "7"}})
    assert [read.key for read in page.items] == [key(2)]
    assert page.items[0].image == (
        b'{"a":{"M":{"x":{"S":""},"y":{"S":""}}},"pk":{"N":"2"},"sk":{"N":"7"},"z":{"N":"1"}}'
    )
    assert (page.last_key, page.consumed) == (last, 0.5)
    assert orders.page(Segment(3, 8), None).last_key is None
    first, second = service.asked
    assert (first["Segment"], first["TotalSegments"], first["Limit"]) == (3, 8, 100)
    assert first["ExclusiveStartKey"]["pk"] == {"N": "1"}
    assert "ExclusiveStartKey" not in second


def test_a_page_whose_cost_is_not_told_costs_what_its_bytes_do() -> None:
    """So a limit on reads holds on a store that counts no capacity, too."""
    page = reader(Service({"Items": [item(1, a={"S": "x" * 16384})]})).page(Segment(0, 1), None)
    assert page.consumed == pytest.approx(2.0, rel=0.01)


def test_a_consistent_page_is_asked_for_as_such_and_costs_twice() -> None:
    """Whoever does not ask for it does not pay for it."""
    large = item(1, a={"S": "x" * 16384})
    service = Service({"Items": [large]}, {"Items": [large]})
    page = reader(service, consistent=True).page(Segment(0, 1), None)
    assert page.consumed == pytest.approx(4.0, rel=0.01)
    reader(service).page(Segment(0, 1), None)
    assert [asked.get("ConsistentRead") for asked in service.asked] == [True, None]


def test_attributes_of_dynamodb_s_own_are_not_there() -> None:
    """A global table of 2017 has them in each item, and no other table takes them."""
    own = {"aws:rep:deleting": {"BOOL": False}}
    service = Service({"Items": [item(1, **own), item(2, a={"S": '"aws:'})]})
    first, second = reader(service).page(Segment(0, 1), None).items
    assert b"aws:" not in first.image and b'"pk":{"N":"1"}' in first.image
    assert orjson.loads(second.image) == item(2, a={"S": '"aws:'})


def test_an_item_is_written_out_twice_and_parsed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key and its image, without rules; a comparison of equal items parses none of them."""
    counts: Counter[str] = Counter()
    for module in (table_reader, change, equality):
        monkeypatch.setattr(module, "orjson", CountingJson(counts, module.__name__))
    page = reader(Service({"Items": [item(pk) for pk in range(50)]})).page(Segment(0, 1), None)
    window = Window(1 << 20)
    assert window.meet(0, page.items) == window.meet(1, page.items) == []
    made = {name: count for name, count in counts.items() if name.endswith("made")}
    assert made == {f"{change.__name__} made": 50, f"{table_reader.__name__} made": 51}
    assert not [name for name in counts if name.endswith("parsed")]


def test_keys_are_asked_for_by_25_until_all_are_answered() -> None:
    """What the service hands back is asked for again; a key without an item is left out."""
    keys = [key(pk) for pk in range(30)]
    rest = {"orders": {"Keys": [orjson.loads(keys[24])]}}
    service = Service(
        {"Responses": {"orders": [item(pk) for pk in range(24)]}, "UnprocessedKeys": rest},
        {"Responses": {"orders": [item(24)]}},
        {"Responses": {"orders": [item(pk) for pk in range(25, 29)]}},
    )
    assert reader(service).get(keys).keys() == set(keys[:29])
    requests = [asked["RequestItems"]["orders"] for asked in service.asked]
    assert [len(request["Keys"]) for request in requests] == [25, 1, 5]
    assert all(request["ConsistentRead"] for request in requests)


def test_items_are_found_whatever_the_store_calls_their_table() -> None:
    """A table of another account is asked for by its ARN. An answer that gives its name is no
    answer without items: a live copy would take away what it has laid."""
    answered = {"arn:orders": [item(1)]}
    rest = {"arn:orders": {"Keys": [orjson.loads(key(2))]}}
    service = Service(
        {"Responses": answered, "UnprocessedKeys": rest}, {"Responses": {"orders": [item(2)]}}
    )
    assert reader(service).get([key(1), key(2)]).keys() == {key(1), key(2)}
