"""Rules between two tables in memory, and what they make of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.change import Change, canonical_key
from kcl_processor.table.copy_laying import Laying
from kcl_processor.transform.function import ItemChange
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform
from tests.table.memory import Table

SOURCE_KEYS = {"tenant": "S", "id": "N"}
PK = {"pk": "S"}

# Rules, with the keys of their destination.
FILTER = (Rules(where="status != 'draft'", exclude=("card",)), SOURCE_KEYS)
RENAMED = (Rules(rename=(("owner", "tenant"), ("number", "id"))), {"owner": "S", "number": "N"})
JOINED = (Rules(set=(("pk", "join('#', [tenant, to_string(id)])"),)), PK)
MOVING = (
    Rules(where="total", set=(("pk", "join('#', [tenant, to_string(id), status])"),)),
    PK,
)
# What cannot be traced: the source's key is in the replica's, and nowhere else.
UNTRACEABLE = (
    Rules(exclude=("id",), set=(("pk", "join('#', [tenant, to_string(id)])"),)),
    PK,
)
MET = (Rules(set=(("pk", "tenant"),), allow_collisions=True), PK)
BY_FUNCTION = (Rules(python=f"{__name__}:flatten"), SOURCE_KEYS)

Given = tuple[Rules, Mapping[str, str]]
Item = dict[str, Any]


def flatten(change: ItemChange) -> Mapping[str, Any] | None:
    """A rule in Python."""
    return change.new and {**change.new, "flat": True}


def renamed(change: ItemChange) -> Mapping[str, Any] | None:
    """A rule in Python that makes keys of its own."""
    return change.new and {"pk": f"x-{change.new['pk']}"}


def transform(given: Given) -> Transform:
    """The rules between both."""
    rules, keys = given
    return Transform(rules, SOURCE_KEYS, keys)


def item(tenant: str, number: int, status: str = "open", total: int = 1) -> Item:
    """An item of the source."""
    return {
        "tenant": {"S": tenant},
        "id": {"N": str(number)},
        "status": {"S": status},
        "total": {"N": str(total)},
        "card": {"S": "4111"},
    }


def key_of(image: Item, names: Iterable[str] = SOURCE_KEYS) -> bytes:
    """A canonical key."""
    return canonical_key({name: image[name] for name in names})


def table(items: Iterable[Item], seed: int = 0, names: Iterable[str] = SOURCE_KEYS) -> Table:
    """A table that holds these."""
    names = tuple(names)
    images = {key_of(one, names): orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in items}
    return Table(images, seed)


class Refused:
    """Keeps what was set aside."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def refuse(self, change: Change, _answer: object) -> None:
        self.changes.append(change)


def laying(given: Given, refused: Refused | None = None) -> Laying:
    """What lays the items of a copy."""
    return Laying(transform(given), refused or Refused(), Breaker("replica"))


def copied(source: Table, given: Given, seed: int = 0) -> Table:
    """What a copy makes of a source."""
    read = [Change(key, image, "0", 0) for key, image in source.items.items()]
    laid = laying(given).laid(read)
    return Table({change.key: change.image for change in laid if change.image}, seed)
