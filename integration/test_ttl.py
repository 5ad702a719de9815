"""What time to live deletes at the source, by either word of ``ttl_deletes``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration import local_tables, task_file
from integration.clients import client
from integration.local_tables import DESTINATION_REGION, HASH_AND_RANGE
from integration.simulator.items import canonical, key_of
from integration.story import Stories, Story
from integration.until import until
from kcl_processor.errors import ExitCode

pytestmark = pytest.mark.story

EXPIRED, DELETED, LATER = 3, 4, 5


class Replica:
    """A story whose destination is a table of DynamoDB Local, which can be compared."""

    def __init__(self, told: Story, **task: Any) -> None:
        self.told = told
        self.table = f"kept-{told.name}"
        self._replica = client("dynamodb", told.database, DESTINATION_REGION)
        local_tables.create(self._replica, self.table, HASH_AND_RANGE)
        destination = task_file.side(DESTINATION_REGION, self.table, told.database)
        told.configure(destination=destination, **task)

    def held(self) -> dict[str, Any]:
        """Its items by hash key."""
        items = local_tables.items(self._replica, self.table)
        return {item["pk"]["S"]: canonical(item) for item in items}

    def change(self, number: int, **how: bool) -> None:
        """Change an item of the source, which has not been deleted before."""
        answer = self.told.simulator.control(change={"number": number, **how})["change"]
        assert (answer["event"] == "REMOVE") is bool(how), answer

    def verify(self, *words: str) -> tuple[int, dict[str, int]]:
        """Exit code and sums of a comparison."""
        done = self.told.run("verify", "--patience", "0", "--json", *words)
        return done.returncode, json.loads(done.stdout)["total"]


RULES = {"where": "pk != 'x'", "set": {"origin": "'us'"}}


@pytest.mark.parametrize(
    ("word", "rules"),
    [
        ("skip", RULES),
        ("apply", None),
        pytest.param("skip", None, marks=pytest.mark.drill),
        pytest.param("apply", RULES, marks=pytest.mark.drill),
    ],
)
def test_by_time_to_live(story: Stories, word: str, rules: dict[str, Any] | None) -> None:
    """Skipped or applied as it is told; a deletion by anybody else is always applied, and an item
    that comes back after its time is replicated."""
    told = story(lineages=2, keys=10)
    task = {"ttl_deletes": word, **({"transform": rules} if rules else {})}
    replica = Replica(told, **task)
    for number in (EXPIRED, DELETED, LATER):
        replica.change(number)
    told.start()
    until(lambda: len(replica.held()) == 3, "the items arrive", 90)
    replica.change(EXPIRED, expire=True)
    replica.change(LATER, expire=True)
    replica.change(DELETED, delete=True)
    replica.change(LATER)
    names = {number: key_of(number)[0] for number in (EXPIRED, DELETED, LATER)}
    version = {"N": "3"}
    until(
        lambda: (
            replica.held().get(names[LATER], {}).get("ver") == version
            and names[DELETED] not in replica.held()
        ),
        "what comes after the expiries",
        60,
    )
    kept = word == "skip"
    # Its shard is read in order, and DELETED and LATER need not be of it.
    until(lambda: (names[EXPIRED] in replica.held()) is kept, "the expiry", 30)
    assert len(replica.held()) == 1 + kept
    for words in ((), ("--repair", "--delete-extra")):
        code, total = replica.verify(*words)
        assert (code, total["extra"], total.get("kept", 0)) == (ExitCode.OK, 0, kept), total
    assert len(replica.held()) == 1 + kept
