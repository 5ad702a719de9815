"""A replica that rules make: a live stream of many shards ends as the rules say, item by item."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration import local_tables, task_file
from integration.clients import client
from integration.local_tables import DESTINATION_REGION
from integration.simulator.items import Item, key_of
from integration.story import Stories, Story
from integration.until import until

pytestmark = pytest.mark.story

# Of the simulated items every second version has `odd`, so each update moves an item in or out, and
# each version has a key of its own.
RULES = {
    "where": "odd",
    "exclude": ["text", "blob"],
    "rename": {"sum": "amount"},
    "set": {"id": "join('@', [pk, to_string(sk), to_string(ver)])", "origin": "'us'"},
}
# Items that no load changes.
QUIET = (900, 901, 902)


def ruled(item: Item) -> Item | None:
    """What the rules say of an item of the source."""
    if "odd" not in item:
        return None
    kept = {name: value for name, value in item.items() if name not in ("text", "blob", "amount")}
    key = "@".join([item["pk"]["S"], item["sk"]["N"], item["ver"]["N"]])
    return {**kept, "sum": item["amount"], "id": {"S": key}, "origin": {"S": "us"}}


class Ruled:
    """A story whose destination is a table of DynamoDB Local, with other keys and by rules."""

    def __init__(self, told: Story) -> None:
        self.told = told
        self.table = f"ruled-{told.name}"
        self.replica = client("dynamodb", told.database, DESTINATION_REGION)
        self.source = client("dynamodb", told.simulator.source_url)
        local_tables.create(self.replica, self.table, (("id", "S"),))
        told.configure(
            destination=task_file.side(DESTINATION_REGION, self.table, told.database),
            transform=RULES,
        )

    def expected(self) -> dict[str, Item]:
        """The replica's items by id, as the rules say."""
        items = local_tables.items(self.source, self.told.simulator.ready["table"])
        return {laid["id"]["S"]: normal(laid) for item in items if (laid := ruled(item))}

    def held(self) -> dict[str, Item]:
        """The replica's items by id, as they are."""
        items = local_tables.items(self.replica, self.table)
        return {item["id"]["S"]: normal(item) for item in items}

    def plant(self, missing: str, changed: str, moved: str) -> None:
        """A difference of each kind, at the items that have these ids."""
        items = self.held()
        self.replica.delete_item(TableName=self.table, Key={"id": {"S": missing}})
        self.put({**items[changed], "sum": {"N": "99"}})
        self.put({**items[moved], "id": {"S": "no more its own"}})
        self.put({**items[moved], "id": {"S": "of nobody"}, "pk": {"S": "nobody"}})

    def put(self, item: Item) -> None:
        self.replica.put_item(TableName=self.table, Item=item)

    def verify(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit code and what ``verify --json`` says."""
        done = self.told.run("verify", "--json", *words)
        return done.returncode, json.loads(done.stdout)


def normal(item: Item) -> Item:
    """An item whose sets are in order, for comparison."""
    return {
        name: {kind: sorted(content) if kind in ("SS", "NS", "BS") else content}
        for name, value in item.items()
        for kind, content in value.items()
    }


def test_the_replica_ends_as_the_rules_say(story: Stories) -> None:
    """Through live changes, a rollover and a kill -9; the comparison agrees."""
    told = story(lineages=4, preload=400, keys=300, rate=200.0)
    replica = Ruled(told)
    worker = told.start()
    until(lambda: len(replica.held()) > 50, "items arrive", 60)
    told.simulator.control(rollover=None)
    worker.kill()
    told.start()
    told.simulator.control(load={"rate": 0})
    until(lambda: replica.held() == replica.expected(), "the replica is as the rules say", 90)
    assert len(replica.expected()) > 50
    code, said = replica.verify()
    assert code == 0, said


def test_planted_differences_are_repaired_while_the_source_is_written(story: Stories) -> None:
    """Beside a daemon that moves keys, of which nothing is undone."""
    told = story(lineages=2, preload=200, keys=200, rate=0.0)
    replica = Ruled(told)
    for number in QUIET:
        told.simulator.control(change={"number": number})
    worker = told.start()
    until(lambda: replica.held() == replica.expected() != {}, "all is there", 90)
    told.simulator.control(load={"rate": 40.0})
    replica.plant(*(f"{pk}@{sk}@1" for pk, sk in map(key_of, QUIET)))
    words = ("--patience", "5", "--segments", "4")
    counts = ("missing", "changed", "extra")
    code, said = replica.verify(*words)
    assert (code, [said["total"][name] for name in counts]) == (1, [1, 1, 2]), said
    code, said = replica.verify(*words, "--repair", "--delete-extra")
    assert (code, said["differing"], said["total"]["equal_again"]) == (0, 0, 4), said
    assert worker.running()
    told.simulator.control(load={"rate": 0})
    until(lambda: replica.held() == replica.expected(), "the replica is as the rules say", 60)
    code, said = replica.verify()
    assert code == 0, said
