"""Accounts that share nothing, joined: every section has its own keys, which open nothing else."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from integration import local_tables, other_stores, task_file
from integration.clients import client
from integration.commands import Commands
from integration.gate import Assumed, Gate, gate, watched_sts
from integration.local_tables import DESTINATION_REGION, HASH_ONLY, SOURCE_REGION, STREAM
from integration.until import until
from integration.worker import Worker

pytestmark = pytest.mark.story

HUB = "arn:aws:iam::111122223333:role/hub"
READER = "arn:aws:iam::444455556666:role/reader"
# What each profile's key is called. The environment's own keys are let in nowhere.
PROFILES = {
    "shop": "AKIASHOPSHOPSHOP",
    "store": "STORE",
    "keeper": "KEEPER",
    "figures": "FIGURES",
    "letters": "LETTERS",
}


class Accounts:
    """A task whose five sections each call through a gate, with credentials of their own.

    Attributes:
        assumed: the roles that were assumed, in their order.
        reader: the source's credentials.
    """

    def __init__(self, stack: ExitStack, folder: Path, local: str, moto: str) -> None:
        self.folder = folder
        self.table = f"table-{uuid.uuid4().hex[:8]}"
        self.source = client("dynamodb", local, SOURCE_REGION)
        self.destination = client("dynamodb", local, DESTINATION_REGION)
        local_tables.create(self.source, self.table, HASH_ONLY, StreamSpecification=STREAM)
        _create_with_index(self.destination, self.table)
        self.queues = client("sqs", moto, DESTINATION_REGION)
        self.queue = str(self.queues.create_queue(QueueName=self.table)["QueueUrl"])
        self.sts, self.assumed = stack.enter_context(watched_sts(moto))
        self.gates: dict[str, Gate] = {
            name: stack.enter_context(gate(target, moto, whose))
            for name, target, whose in (
                ("source", local, "reader"),
                ("destination", local, PROFILES["store"]),
                ("kcl", local, PROFILES["keeper"]),
                ("metrics", moto, PROFILES["figures"]),
                ("dead_letters", moto, PROFILES["letters"]),
            )
        }
        self.write_keys()
        roles = [{"role_arn": HUB}, {"role_arn": READER, "external_id": "orders"}]
        self.reader = {"profile": "shop", "roles": roles, "session_name": "to-store"}
        self.settings = self._settings()

    def write_keys(self, **renewed: str) -> None:
        """Write the shared file, all at once, with some keys renewed."""
        lines = (
            f"[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = secret\n"
            for profile, key in {**PROFILES, **renewed}.items()
        )
        (self.folder / "new").write_text("".join(lines))
        os.replace(self.folder / "new", self.folder / "credentials")

    def _settings(self) -> dict[str, Any]:
        urls = {name: one.url for name, one in self.gates.items()}
        letters = self.queue.rpartition("/")[2]
        return {
            "source": {**task_file.side(SOURCE_REGION, self.table, urls["source"]), **self.reader},
            "destination": {
                **task_file.side(DESTINATION_REGION, self.table, urls["destination"]),
                "profile": "store",
            },
            "kcl": {"region": SOURCE_REGION, "endpoint": urls["kcl"], "profile": "keeper"},
            "metrics": {"endpoint": urls["metrics"], "profile": "figures"},
            "dead_letters": {
                "queue": f"{urls['dead_letters']}/123456789012/{letters}",
                "profile": "letters",
            },
            "on_poison": "dead-letter",
        }

    def sign(self, side: str, **credentials: object) -> None:
        """Give one side these credentials."""
        place = {name: self.settings[side][name] for name in ("region", "table", "endpoint")}
        self.settings[side] = {**place, **credentials}

    def commands(self) -> Commands:
        """The product's, on these settings as they are now."""
        file = self.folder / "tasks.yml"
        task_file.write(file, f"task-{self.table}", self.settings)
        return Commands(file, self.folder / "state")

    def put(self, key: str, **attributes: dict[str, str]) -> None:
        self.source.put_item(TableName=self.table, Item={"pk": {"S": key}, **attributes})

    def arrived(self, key: str) -> bool:
        """Whether the replica has an item."""
        asked = self.destination.get_item(TableName=self.table, Key={"pk": {"S": key}})
        return "Item" in asked

    def until_arrived(self, key: str, worker: Worker) -> None:
        until(lambda: self.arrived(key) or not worker.running(), f"{key} arrives", 90)
        assert self.arrived(key), worker.log()


def _create_with_index(side: Any, table: str) -> None:
    """A table that never accepts an item whose ``n`` is no number."""
    side.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-n",
                "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def accounts(local: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    """Five sections, of four accounts and a store, on DynamoDB Local and a moto server."""
    with ExitStack() as stack:
        made = Accounts(stack, tmp_path, local, stack.enter_context(other_stores.moto()))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", made.sts)
        yield made


def checks(accounts: Accounts) -> list[dict[str, str]]:
    """What the doctor finds."""
    found: list[dict[str, str]] = json.loads(accounts.commands().run("doctor", "--json").stdout)
    return found


def test_every_section_signs_with_its_own_keys_and_renews_them(accounts: Accounts) -> None:
    """Tools, daemon and record processors alike; a session that is revoked and a file that is
    written anew stop nothing."""
    assert failed(accounts) == {}
    gates = accounts.gates
    accounts.put("a", n={"N": "1"})
    accounts.put("poison", n={"S": "no number"})
    figures = len(gates["metrics"].came)
    command = accounts.commands().line("run", "--log-dir", str(accounts.folder))
    with Worker(command, accounts.folder / "run.log", *_logs(accounts)) as worker:
        accounts.until_arrived("a", worker)

        # STS ends a session before its time, which only a refusal tells.
        gates["source"].revoked |= {key for _, key in gates["source"].came}
        # A file is written anew, and its old keys end once all have the new ones.
        accounts.write_keys(store="STORE2", keeper="KEEPER2")
        for name, new in (("destination", "STORE2"), ("kcl", "KEEPER2")):
            gates[name].lets_in.add(new)
        accounts.put("b")
        accounts.until_arrived("b", worker)
        until(lambda: gates["kcl"].last() == "KEEPER2", "KCL has the new keys", 90)
        gates["destination"].lets_in.remove("STORE")
        gates["kcl"].lets_in.remove("KEEPER")
        accounts.put("c")
        accounts.until_arrived("c", worker)
        until(lambda: len(gates["metrics"].came) > figures, "figures are published", 90)
        assert worker.stop() == 0, worker.log()

    letters = accounts.queues.receive_message(QueueUrl=accounts.queue)["Messages"]
    assert [json.loads(letter["Body"])["key"] for letter in letters] == [{"pk": {"S": "poison"}}]
    assert gates["dead_letters"].came
    for name in ("source", "metrics", "dead_letters"):
        assert gates[name].refused == set(), name
    _assert_chain(accounts.assumed)


def _logs(accounts: Accounts) -> list[Path]:
    return [accounts.folder / f"task-{accounts.table}@worker-1-connectors.log"]


def _assert_chain(assumed: list[Assumed]) -> None:
    """Only the profile assumed the hub, and only the hub's sessions the reader, as it asks."""
    hubs = [one for one in assumed if one.role == "hub"]
    readers = [one for one in assumed if one.role == "reader"]
    assert {one.by for one in hubs} == {PROFILES["shop"]}
    assert {one.external_id for one in hubs} == {""}
    assert {one.external_id for one in readers} == {"orders"}
    assert all(one.by.startswith("ASIA") for one in readers)
    assert {one.session_name for one in assumed} == {"to-store"}
    assert len(hubs) + len(readers) == len(assumed)


def test_the_keys_of_one_side_open_nothing_at_the_other(accounts: Accounts) -> None:
    """Each is refused at the other's endpoint, and the doctor names which."""
    accounts.sign("source", profile="store")
    found = failed(accounts)
    assert "credentials are refused" in found["source"]
    assert accounts.gates["source"].refused == {PROFILES["store"]}

    accounts.sign("source", **accounts.reader)
    accounts.sign("destination", **accounts.reader)
    found = failed(accounts)
    assert "source" not in found and "credentials are refused" in found["destination"]
    assert accounts.gates["destination"].refused == {"reader"}


def failed(accounts: Accounts) -> dict[str, str]:
    """What fails, by its group."""
    found = checks(accounts)
    return {check["group"]: check["text"] for check in found if check["result"] == "fail"}


def test_the_doctor_says_who_each_section_is_and_warns(accounts: Accounts) -> None:
    """The reader's session by its name; AWS's keys of the shop go to a host that is not AWS's."""
    found = [check for check in checks(accounts) if check["group"] == "credentials"]
    said = [check["text"] for check in found if check["result"] == "ok"]
    who = "arn:aws:sts::444455556666:assumed-role/reader/to-store"
    assert any(text.startswith(f"source: {who}") for text in said), said
    warned = [check["text"] for check in found if check["result"] == "warn"]
    assert len(warned) == 1 and warned[0].startswith("source: the keys of"), warned
