"""Copy, verify and repair under rules, on DynamoDB Local, with nothing replicating."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from integration import local_tables, task_file
from integration.clients import client
from integration.commands import Commands
from integration.local_tables import DESTINATION_REGION, SOURCE_REGION, STREAM
from integration.simulator.items import Item, canonical
from kcl_processor.errors import ExitCode

RULES = {
    "where": "status != 'draft' && total > `10`",
    "exclude": ["card"],
    "rename": {"customer_id": "customer"},
    "set": {"pk": "join('#', [tenant, to_string(id)])", "origin": "'us'"},
}


def order(number: int, **more: Any) -> Item:
    """An order of the source; every third is a draft, and the first of each ten is too small."""
    status = "draft" if number % 3 == 0 else "open"
    item = {
        "tenant": {"S": f"tenant-{number % 7}"},
        "id": {"N": str(number)},
        "status": {"S": status},
        "total": {"N": str(number % 10 * 5 + 10)},
        "customer": {"S": f"customer {number}"},
        "card": {"S": "4111111111111111"},
        "tags": {"SS": ["x", f"y{number}"]},
    }
    return {**item, **more}


def laid(item: Item) -> Item | None:
    """What the rules say of an order."""
    if item["status"]["S"] == "draft" or int(item["total"]["N"]) <= 10:
        return None
    kept = {name: value for name, value in item.items() if name not in ("card", "customer")}
    pk = {"S": f"{item['tenant']['S']}#{item['id']['N']}"}
    return {**kept, "customer_id": item["customer"], "pk": pk, "origin": {"S": "us"}}


class Ruled:
    """A source, and a destination of other keys."""

    def __init__(self, url: str, folder: Path) -> None:
        self.table = f"ruled-{uuid.uuid4().hex[:8]}"
        self.source = client("dynamodb", url, SOURCE_REGION)
        self.replica = client("dynamodb", url, DESTINATION_REGION)
        self.commands = Commands(folder / "tasks.yml", folder)
        self.settings = task_file.between(url, url, self.table)
        self.write(RULES)
        keys = (("tenant", "S"), ("id", "N"))
        local_tables.create(self.source, self.table, keys, StreamSpecification=STREAM)
        local_tables.create(self.replica, self.table, (("pk", "S"),))

    def write(self, rules: dict[str, Any]) -> None:
        """The task's file, with these rules."""
        task_file.write(self.commands.file, "orders", {**self.settings, "transform": rules})

    def fill(self, orders: Sequence[Item]) -> None:
        for item in orders:
            self.source.put_item(TableName=self.table, Item=item)

    def expected(self) -> dict[str, Item]:
        """The replica as the rules say, by its key."""
        items = map(laid, local_tables.items(self.source, self.table))
        return {item["pk"]["S"]: canonical(item) for item in items if item}

    def held(self) -> dict[str, Item]:
        """The replica as it is, by its key."""
        items = local_tables.items(self.replica, self.table)
        return {item["pk"]["S"]: canonical(item) for item in items}

    def plant(self, item: Item) -> None:
        """Put an item at the destination."""
        self.replica.put_item(TableName=self.table, Item=item)

    def run(self, name: str, *words: str) -> tuple[int, Any]:
        """Run a command; its exit code and its JSON."""
        done = self.commands.run(name, *words)
        print(done.stderr)
        return done.returncode, json.loads(done.stdout or "null")

    def verify(self, *words: str) -> tuple[int, dict[str, int]]:
        """Exit code and sums of a comparison."""
        code, said = self.run("verify", "--patience", "0", "--json", *words)
        return code, said["total"]


def test_copied_compared_and_repaired_as_the_rules_say(local: str, tmp_path: Path) -> None:
    """Item by item; each planted difference is found by its kind and made good."""
    tables = Ruled(local, tmp_path)
    orders = [order(number) for number in range(120)]
    tables.fill(orders)
    whole = tables.expected()
    assert tables.commands.run("copy", "--force").returncode == ExitCode.OK
    assert tables.held() == whole
    code, status = tables.run("copy", "--status", "--json")
    assert (code, status["items"], status["written"]) == (ExitCode.OK, 120, len(whole))
    assert status["left_out"] == 120 - len(whole)
    code, total = tables.verify()
    assert (code, total["source"], total["laid"]) == (ExitCode.OK, 120, len(whole))

    missing, changed, left, stale, *_ = (laid(one) for one in orders if laid(one))
    assert missing and changed and left and stale
    tables.replica.delete_item(TableName=tables.table, Key={"pk": missing["pk"]})
    tables.plant({**changed, "total": {"N": "99"}})
    tables.source.put_item(
        TableName=tables.table, Item=order(int(left["id"]["N"]), status={"S": "draft"})
    )
    tables.plant({**stale, "pk": {"S": "its old key"}})
    tables.plant({**stale, "pk": {"S": "x#999"}, "id": {"N": "999"}})
    tables.plant({"pk": {"S": "somebody else's"}})
    code, total = tables.verify("--report", str(tmp_path / "report"))
    assert code == ExitCode.CRASH
    assert (total["missing"], total["changed"], total["extra"]) == (1, 1, 3)
    assert total["untraced"] == 1
    lines = [json.loads(line) for line in (tmp_path / "report").read_text().splitlines()]
    assert {"kind": "extra", "key": {"pk": {"S": "its old key"}}}.items() <= next(
        line for line in lines if line["key"] == {"pk": {"S": "its old key"}}
    ).items()
    assert all(line["source_key"] for line in lines if line["kind"] != "untraced")
    assert tables.verify("--repair", "--delete-extra")[0] == ExitCode.UNKNOWN
    tables.replica.delete_item(TableName=tables.table, Key={"pk": {"S": "somebody else's"}})
    assert tables.held() == tables.expected()
    assert tables.verify()[0] == ExitCode.OK


def test_other_rules_are_told_by_verify_what_they_would_have_otherwise(
    local: str, tmp_path: Path
) -> None:
    """Before anything is written; and a copy begun anew follows them."""
    tables = Ruled(local, tmp_path)
    tables.fill([order(number) for number in range(30)])
    assert tables.commands.run("copy", "--force").returncode == ExitCode.OK
    tables.write({**RULES, "exclude": ["card", "tags"]})
    refused = tables.commands.run("copy", "--force")
    assert refused.returncode == ExitCode.CONFIG and "rules of task" in refused.stderr
    code, total = tables.verify()
    assert code == ExitCode.CRASH and total["changed"] == len(tables.expected())
    assert tables.verify("--repair")[0] == ExitCode.OK
    assert not any("tags" in item for item in tables.held().values())
