"""A destination table like its source: the request that creates it, and what tells two apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_INDEX_FIELDS = ("IndexName", "KeySchema", "Projection")
# What CreateTable fills in where a request leaves it out.
_PROVISIONED = ("ReadCapacityUnits", "WriteCapacityUnits")


@dataclass(frozen=True)
class Mismatch:
    """One part in which a destination is not like its source.

    Attributes:
        what: the part, in the words of DescribeTable.
        fatal: a replica cannot work with it; otherwise readers of the replica may notice it.
    """

    what: str
    source: str
    destination: str
    fatal: bool = False


def creation(
    source: dict[str, Any], name: str, tags: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The CreateTable request for a table like ``source``.

    Keys, indexes, billing, capacity and table class are the source's. The stream stays off, and
    so does TTL: expiries arrive from the source as deletions, and a second clock would only run
    ahead of them. Encryption is left to the destination's account: a customer's key belongs to
    one region.

    Args:
        source: the source as DescribeTable tells it.
        name: the new table's name.
        tags: tags to give it.
    """
    request: dict[str, Any] = {
        "TableName": name,
        "KeySchema": source["KeySchema"],
        "AttributeDefinitions": source["AttributeDefinitions"],
        **_billing(source),
    }
    on_demand = _billing_mode(source) == "PAY_PER_REQUEST"
    if indexes := source.get("GlobalSecondaryIndexes"):
        request["GlobalSecondaryIndexes"] = [
            _global_index(index, on_demand=on_demand) for index in indexes
        ]
    if indexes := source.get("LocalSecondaryIndexes"):
        request["LocalSecondaryIndexes"] = [_index(index) for index in indexes]
    if (kind := _table_class(source)) != "STANDARD":
        request["TableClass"] = kind
    if tags:
        request["Tags"] = tags
    return request


def own_tags(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """The tags that a customer may set; AWS keeps the ``aws:`` ones to itself."""
    return [tag for tag in tags if not tag["Key"].startswith("aws:")]


def mismatches(source: dict[str, Any], destination: dict[str, Any]) -> list[Mismatch]:
    """What tells a described destination from a described source; empty when nothing does."""
    found = []
    for what, describe, fatal in (
        ("KeySchema", _keys, True),
        ("BillingMode", _billing_mode, False),
        ("ProvisionedThroughput", _throughput, False),
        ("TableClass", _table_class, False),
    ):
        ours, theirs = describe(source), describe(destination)
        if ours != theirs:
            found.append(Mismatch(what, ours or "-", theirs or "-", fatal))
    return found + _index_mismatches(source, destination)


def _index_mismatches(source: dict[str, Any], destination: dict[str, Any]) -> list[Mismatch]:
    found = []
    for kind in ("GlobalSecondaryIndex", "LocalSecondaryIndex"):
        ours, theirs = _indexes(source, f"{kind}es"), _indexes(destination, f"{kind}es")
        found += [
            Mismatch(f"{kind} {name}", ours.get(name, "-"), theirs.get(name, "-"))
            for name in sorted(ours.keys() | theirs.keys())
            if ours.get(name) != theirs.get(name)
        ]
    return found


def _billing(table: dict[str, Any]) -> dict[str, Any]:
    if _billing_mode(table) == "PAY_PER_REQUEST":
        request: dict[str, Any] = {"BillingMode": "PAY_PER_REQUEST"}
        if limits := table.get("OnDemandThroughput"):
            request["OnDemandThroughput"] = limits
        return request
    return {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": _capacity(table["ProvisionedThroughput"]),
    }


def _global_index(index: dict[str, Any], *, on_demand: bool) -> dict[str, Any]:
    request = _index(index)
    if on_demand:
        if limits := index.get("OnDemandThroughput"):
            request["OnDemandThroughput"] = limits
    else:
        request["ProvisionedThroughput"] = _capacity(index["ProvisionedThroughput"])
    return request


def _index(index: dict[str, Any]) -> dict[str, Any]:
    return {field: index[field] for field in _INDEX_FIELDS}


def _capacity(throughput: dict[str, Any]) -> dict[str, int]:
    return {field: throughput[field] for field in _PROVISIONED}


def _billing_mode(table: dict[str, Any]) -> str:
    return str(table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"))


def _table_class(table: dict[str, Any]) -> str:
    return str(table.get("TableClassSummary", {}).get("TableClass", "STANDARD"))


def _throughput(table: dict[str, Any]) -> str:
    if _billing_mode(table) == "PAY_PER_REQUEST":
        return ""
    capacity = table["ProvisionedThroughput"]
    return f"{capacity['ReadCapacityUnits']} RCU, {capacity['WriteCapacityUnits']} WCU"


def _keys(table: dict[str, Any]) -> str:
    return _schema(table["KeySchema"], table)


def _schema(keys: list[dict[str, str]], table: dict[str, Any]) -> str:
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    names = (key["AttributeName"] for key in keys)
    return ", ".join(
        f"{name} {types[name]} {key['KeyType']}" for name, key in zip(names, keys, strict=True)
    )


def _indexes(table: dict[str, Any], kind: str) -> dict[str, str]:
    """Index name to its keys and projection in words; capacity is the operator's affair."""
    return {
        index["IndexName"]: f"{_schema(index['KeySchema'], table)}; {_projection(index)}"
        for index in table.get(kind, ())
    }


def _projection(index: dict[str, Any]) -> str:
    projection = index["Projection"]
    names = ", ".join(sorted(projection.get("NonKeyAttributes", ())))
    return " ".join(part for part in (projection["ProjectionType"], names) if part)
