"""A destination as the rules make it of the source."""

from __future__ import annotations

from typing import Any

import pytest

from kcl_processor.table.laid_definition import UnknownKey, laid_definition, left_out, name_by
from kcl_processor.transform.rules import Rules


def keys(*names: str) -> list[dict[str, str]]:
    kinds = zip(names, ("HASH", "RANGE"), strict=False)
    return [{"AttributeName": name, "KeyType": kind} for name, kind in kinds]


def index(name: str, *attributes: str, **projection: Any) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": keys(*attributes),
        "Projection": projection or {"ProjectionType": "ALL"},
    }


SOURCE = {
    "TableName": "orders",
    "KeySchema": keys("tenant", "id"),
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": kind}
        for name, kind in (("tenant", "S"), ("id", "N"), ("status", "S"), ("day", "S"))
    ],
    "GlobalSecondaryIndexes": [
        index("by-status", "status", "id", ProjectionType="INCLUDE", NonKeyAttributes=["card"]),
    ],
    "LocalSecondaryIndexes": [index("by-day", "tenant", "day")],
}


def test_keys_and_indexes_have_their_new_names() -> None:
    """And their types, which a new name leaves."""
    rules = Rules(rename=(("owner", "tenant"), ("state", "status"), ("pan", "card")))
    laid = laid_definition(SOURCE, rules)
    assert laid["KeySchema"] == keys("owner", "id")
    assert {d["AttributeName"]: d["AttributeType"] for d in laid["AttributeDefinitions"]} == {
        "owner": "S",
        "id": "N",
        "state": "S",
        "day": "S",
    }
    (by_status,), (by_day,) = laid["GlobalSecondaryIndexes"], laid["LocalSecondaryIndexes"]
    assert by_status["KeySchema"] == keys("state", "id")
    assert by_status["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["pan"]}
    assert by_day["KeySchema"] == keys("owner", "day")
    assert left_out(SOURCE, laid) == []


def test_an_index_without_its_keys_is_left_out() -> None:
    """So are the attributes that nothing else needs, which CreateTable would refuse."""
    laid = laid_definition(SOURCE, Rules(exclude=("card", "day"), set=(("status", "'x'"),)))
    assert left_out(SOURCE, laid) == ["by-day", "by-status"]
    assert [d["AttributeName"] for d in laid["AttributeDefinitions"]] == ["tenant", "id"]
    laid = laid_definition(SOURCE, Rules(exclude=("card",)))
    assert laid["GlobalSecondaryIndexes"][0]["Projection"] == {"ProjectionType": "KEYS_ONLY"}


@pytest.mark.parametrize(
    "rules",
    [
        Rules(exclude=("id",)),
        Rules(include=("tenant",)),
        Rules(set=(("id", "length(tenant)"),)),
        Rules(rename=(("id", "status"),)),
        Rules(rename=(("number", "id"),), set=(("number", "'x'"),)),
    ],
)
def test_a_key_that_the_rules_make_is_of_no_known_type(rules: Rules) -> None:
    """Whoever writes the rules has to say what it is."""
    with pytest.raises(UnknownKey) as unknown:
        laid_definition(SOURCE, rules)
    assert unknown.value.name == "id"


def test_a_name_is_the_new_one_or_none() -> None:
    """Two that change places keep their values."""
    swapped = Rules(rename=(("a", "b"), ("b", "a")))
    assert (name_by(swapped, "a"), name_by(swapped, "b")) == ("b", "a")
    assert name_by(Rules(include=("a",)), "b") is None
    assert name_by(Rules(), "a") == "a"
