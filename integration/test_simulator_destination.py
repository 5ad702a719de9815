"""The simulated destination keeps DynamoDB's write rules, and the judge tells the truth."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from integration.clients import BROKEN, Client, client, refusal
from integration.simulator.client import SimulatorProcess
from integration.simulator.items import Item, key_attributes, key_of
from integration.simulator.writers import HEADER


@pytest.fixture
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess() as process:
        yield process


@pytest.fixture
def table(simulator: SimulatorProcess) -> Client:
    return client("dynamodb", simulator.destination_url)


def changed(simulator: SimulatorProcess, number: int) -> Item:
    """Put item `number` at the source and return it."""
    simulator.control(change={"number": number})
    source = client("dynamodb", simulator.source_url)
    found: Item = source.get_item(TableName="source", Key=key_attributes(number))["Item"]
    return found


def puts(items: list[Item]) -> dict[str, Any]:
    """Return RequestItems that put `items`."""
    return {"replica": [{"PutRequest": {"Item": item}} for item in items]}


def writer(simulator: SimulatorProcess, name: str) -> Client:
    """Return a client whose requests name their writer."""
    made = client("dynamodb", simulator.destination_url)
    made.meta.events.register(
        "before-sign", lambda request, **_: request.headers.add_header(HEADER, name)
    )
    return made


def test_a_copy_of_the_source_is_equal(simulator: SimulatorProcess, table: Client) -> None:
    """Puts and deletions that follow the source leave no key behind and nothing different."""
    items = [changed(simulator, number) for number in range(25)]
    assert simulator.status()["behind"] >= 25
    table.batch_write_item(RequestItems=puts(items))
    simulator.control(change={"number": 3, "delete": True})
    assert simulator.status()["behind"] == 1
    table.delete_item(TableName="replica", Key=key_attributes(3))
    verdict = simulator.settle(5)
    assert verdict["equal"]
    assert (verdict["behind"], verdict["writes"]) == (0, 26)
    assert verdict["latency_ms"]["max"] >= verdict["latency_ms"]["p50"] > 0


def test_the_verdict_counts_lost_extra_and_different(
    simulator: SimulatorProcess, table: Client
) -> None:
    """A key is lost, extra or different, and the verdict names it."""
    first, second = changed(simulator, 101), changed(simulator, 102)
    changed(simulator, 103)
    table.batch_write_item(RequestItems=puts([first | {"flag": {"BOOL": True}}, second]))
    simulator.control(change={"number": 102, "delete": True})
    examples = simulator.verdict()["examples"]
    assert key_of(101)[0] in examples["different"]
    assert key_of(102)[0] in examples["extra"]
    assert key_of(103)[0] in examples["lost"]
    table.batch_write_item(RequestItems=puts([first, changed(simulator, 103)]))
    table.delete_item(TableName="replica", Key=key_attributes(102))
    assert simulator.verdict()["equal"]


def test_the_rules_of_batch_write_item(simulator: SimulatorProcess, table: Client) -> None:
    """Too many writes, a key twice, a foreign table and a wrong key are refused as a whole."""
    items = [changed(simulator, number) for number in range(200, 226)]
    write = table.batch_write_item
    assert refusal(write, RequestItems=puts(items))["Code"] == "ValidationException"
    twice = refusal(write, RequestItems=puts([items[0], items[0]]))
    assert twice["Code"] == "ValidationException"
    assert twice["Message"] == "Provided list of item keys contains duplicates"
    foreign = {"elsewhere": puts(items[:1])["replica"]}
    assert refusal(write, RequestItems=foreign)["Code"] == "ResourceNotFoundException"
    keyless = {name: value for name, value in items[0].items() if name != "sk"}
    assert refusal(write, RequestItems=puts([items[1], keyless]))["Code"] == "ValidationException"
    partial = {"TableName": "replica", "Key": {"pk": {"S": "x"}}}
    assert refusal(table.delete_item, **partial)["Code"] == "ValidationException"
    assert simulator.verdict()["writes"] == 0
    write(RequestItems=puts(items[:25]))
    write(RequestItems=puts(items[25:]))
    assert simulator.verdict()["writes"] == 26


def test_a_poison_key_fails_its_whole_request(simulator: SimulatorProcess, table: Client) -> None:
    """No write of a request with a poison key is applied; the others pass without it."""
    good, bad = changed(simulator, 301), changed(simulator, 302)
    simulator.faults(destination=[{"kind": "poison", "keys": [key_of(302)[0]]}])
    assert (
        refusal(table.batch_write_item, RequestItems=puts([good, bad]))["Code"]
        == "ValidationException"
    )
    assert "Item" not in table.get_item(TableName="replica", Key=key_attributes(301))
    table.batch_write_item(RequestItems=puts([good]))
    assert table.get_item(TableName="replica", Key=key_attributes(301))["Item"] == good


def test_unprocessed_writes_come_back(simulator: SimulatorProcess, table: Client) -> None:
    """Part of a batch is handed back unapplied, and is applied when sent until nothing is left."""
    waiting = puts([changed(simulator, number) for number in range(400, 425)])
    rule = {"kind": "unprocessed", "share": 0.5}
    simulator.faults(destination=[rule])
    answer = table.batch_write_item(RequestItems=waiting)["UnprocessedItems"]
    assert 0 < len(answer["replica"]) < 25
    assert simulator.verdict()["writes"] == 25 - len(answer["replica"])
    simulator.faults(destination=[rule | {"share": 1.0}])
    throttled = refusal(table.batch_write_item, RequestItems=answer)["Code"]
    assert throttled == "ProvisionedThroughputExceededException"
    simulator.faults(destination=[])
    table.batch_write_item(RequestItems=answer)
    assert simulator.verdict()["writes"] == 25


def test_a_reset_after_the_write_leaves_it_applied(
    simulator: SimulatorProcess, table: Client
) -> None:
    """`reset` breaks before the write is applied and `reset-after` behind it."""
    item = changed(simulator, 501)
    for kind, applied in (("reset", False), ("reset-after", True)):
        simulator.faults(destination=[{"kind": kind, "operation": "PutItem"}])
        with pytest.raises(BROKEN):
            table.put_item(TableName="replica", Item=item)
        found = table.get_item(TableName="replica", Key=key_attributes(501))
        assert ("Item" in found) is applied


def test_silence_and_hollow_answers(simulator: SimulatorProcess, table: Client) -> None:
    """`silence` has no effect and `silence-after` has one; `hollow` is answered and has none."""
    item = changed(simulator, 502)
    for kind, applied in (("silence", False), ("silence-after", True)):
        simulator.faults(destination=[{"kind": kind, "operation": "PutItem", "milliseconds": 50}])
        began = time.monotonic()
        with pytest.raises(BROKEN):
            table.put_item(TableName="replica", Item=item)
        assert time.monotonic() - began >= 0.05
        found = table.get_item(TableName="replica", Key=key_attributes(502))
        assert ("Item" in found) is applied
    simulator.faults(destination=[{"kind": "hollow", "operation": "DeleteItem"}])
    table.delete_item(TableName="replica", Key=key_attributes(502))
    assert "Item" in table.get_item(TableName="replica", Key=key_attributes(502))


@pytest.mark.parametrize(
    "kind",
    [
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "ProvisionedThroughputExceededException",
        "InternalServerError",
        "AccessDeniedException",
        "ResourceNotFoundException",
    ],
)
def test_errors_hit_their_share(simulator: SimulatorProcess, table: Client, kind: str) -> None:
    """A fault with a share hits about so many calls, and a timed one ends by itself."""
    simulator.faults(destination=[{"kind": kind, "share": 0.5}])
    answers = []
    for _ in range(60):
        try:
            answers.append(table.describe_table(TableName="replica")["Table"]["TableName"])
        except ClientError as error:
            answers.append(error.response["Error"]["Code"])
    assert set(answers) == {"replica", kind}
    assert 10 < answers.count(kind) < 50
    simulator.faults(destination=[{"kind": kind, "seconds": 0.0}])
    table.describe_table(TableName="replica")


def test_a_changed_key_schema_refuses_writes(simulator: SimulatorProcess, table: Client) -> None:
    """After a change of the key schema the old items no longer fit."""
    item = changed(simulator, 601)
    simulator.control(key_schema={"pk": "S", "other": "S"})
    refused = refusal(table.batch_write_item, RequestItems=puts([item]))
    simulator.control(key_schema={"pk": "S", "sk": "N"})
    assert refused["Code"] == "ValidationException"


def test_latency_does_not_queue_requests(simulator: SimulatorProcess) -> None:
    """Thirty-two requests at once, each 200 ms long, take little longer than one."""
    simulator.faults(destination=[{"kind": "latency", "milliseconds": 200}])
    clients = [client("dynamodb", simulator.destination_url) for _ in range(4)]
    began = time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        calls = [
            pool.submit(clients[at % 4].describe_table, TableName="replica") for at in range(32)
        ]
    assert all(call.result()["Table"] for call in calls)
    # One behind the other they take 6.4 s.
    assert 0.2 <= time.monotonic() - began < 4.0


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        (("old", "new", "old"), "stale"),
        (("old", "new", "restarted"), "replay"),
        (("old", "new", "new"), "regressed"),
    ],
)
def test_a_step_backwards_is_told_apart(
    simulator: SimulatorProcess, order: tuple[str, ...], kind: str
) -> None:
    """An older version over a newer one counts by who wrote it: stale, replay or regressed."""
    number = {"stale": 701, "replay": 702, "regressed": 703}[kind]
    items = [changed(simulator, number) for _ in range(3)]
    for name, item in zip(order, (items[0], items[2], items[1]), strict=True):
        named = writer(simulator, f"{kind} {name}")
        named.put_item(TableName="replica", Item=item)
    verdict = simulator.verdict()
    assert {name: verdict[name] for name in ("stale", "replay", "regressed")} == {
        **dict.fromkeys(("stale", "replay", "regressed"), 0),
        kind: 1,
    }
    assert verdict["examples"]["different"] == [key_of(number)[0]]
    writer(simulator, f"{kind} last").put_item(TableName="replica", Item=items[2])


def test_a_deletion_is_taken_for_one_that_the_source_made(
    simulator: SimulatorProcess, table: Client
) -> None:
    """A late deletion of a key that lives again goes backwards; one in order does not.

    A deletion that the source never made is foreign.
    """
    first = changed(simulator, 801)
    simulator.control(change={"number": 801, "delete": True})
    last = changed(simulator, 801)
    changed(simulator, 802)
    table.delete_item(TableName="replica", Key=key_attributes(802))
    assert simulator.verdict()["foreign"] == 1
    for item in (first, None, last, None):
        if item is None:
            table.delete_item(TableName="replica", Key=key_attributes(801))
        else:
            table.put_item(TableName="replica", Item=item)
    verdict = simulator.verdict()
    assert verdict["regressed"] == 1
    assert verdict["backwards"][0]["writer"] == f"pid {os.getpid()}"
    assert key_of(801)[0] in verdict["examples"]["lost"]
    table.put_item(TableName="replica", Item=last)
