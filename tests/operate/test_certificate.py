"""A certificate says all that it proves, to people and to machines."""

from __future__ import annotations

import json
from dataclasses import replace

from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.operate.certificate import Certificate, Proof
from kcl_processor.operate.writer_watch import ShardEnd

CERTIFICATE = Certificate(
    task="orders",
    host="host-1",
    source=Incarnation("arn:aws:dynamodb:us-east-1:1:table/orders", 1_700_000_000.25, "id-1"),
    stream="arn:aws:dynamodb:us-east-1:1:table/orders/stream/x",
    destination=Incarnation("arn:aws:dynamodb:eu-west-1:1:table/orders", 1_700_000_001.0, "id-2"),
    rules="",
    begun_at=1_700_000_100.0,
    quiet_since=1_700_000_150.5,
    certified_at=1_700_000_200.125,
    shards=(ShardEnd("shard-1", "1234", closed=True), ShardEnd("shard-2", None, closed=False)),
    proof=Proof(source=50_000, laid=50_000, destination=50_000, kept=0, differing=0, unsure=0),
    expired=3,
    frozen=True,
)


def test_it_is_read_as_it_was_written() -> None:
    """To the millisecond; with rules, too."""
    for one in (CERTIFICATE, replace(CERTIFICATE, rules="digest", frozen=False)):
        assert Certificate.read(one.text()) == one


def test_a_machine_finds_everything_by_its_name() -> None:
    """Times are ISO 8601 in UTC; what is unknown is null."""
    told = json.loads(CERTIFICATE.text())
    assert (told["differences"], told["items_compared"]) == (0, 50_000)
    assert told["certified_at"] == "2023-11-14T22:16:40.125Z"
    assert told["rules"] is None and told["writes_denied"] is True
    assert told["shards"] == [
        {"shard": "shard-1", "last_sequence_number": "1234", "closed": True},
        {"shard": "shard-2", "last_sequence_number": None, "closed": False},
    ]


def test_a_person_reads_the_same() -> None:
    """Which tables, since when nobody wrote, where each shard ends."""
    text = "\n".join(CERTIFICATE.lines())
    assert text.startswith("orders: both tables were equal at 2023-11-14T22:16:40.125Z")
    for words in (
        "table/orders 2023-11-14T22:13:20.250+00:00 id-1",
        "begun                              2023-11-14T22:15:00.000Z on host-1",
        "items compared                     50,000\n",
        "differences                        0",
        "writes at the source               denied",
        "shard-1  ends at 1234, closed",
        "shard-2  ends at its begin: it is empty",
    ):
        assert words in text
    ruled = replace(CERTIFICATE, rules="x", proof=replace(CERTIFICATE.proof, laid=9, kept=2))
    assert "50,000 (9 laid by the rules, 2 kept at the destination alone)" in "\n".join(
        ruled.lines()
    )
