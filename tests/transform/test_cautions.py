"""What is to be known of rules before they are used."""

from __future__ import annotations

import pytest

from kcl_processor.transform.cautions import cautions
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform

KEYS = {"tenant": "S", "id": "N"}
JOINED = ("pk", "join('#', [tenant, to_string(id)])")


def told(rules: Rules, keys: dict[str, str] | None = None) -> list[str]:
    return [caution.text for caution in cautions(Transform(rules, KEYS, keys or {"pk": "S"}))]


@pytest.mark.parametrize(
    "rules",
    [
        Rules(set=(JOINED,)),
        Rules(set=(JOINED,), rename=(("customer", "tenant"),)),
        Rules(set=(JOINED, ("new", "tags && contains(tags, 'new')"))),
        Rules(set=(JOINED, ("many", "length(tags)")), where="tags"),
        Rules(set=(("pk", "email"),), where="email && id", allow_collisions=True),
        Rules(set=(JOINED, ("all", "to_string(@)")), where="total > `10`"),
        Rules(set=(JOINED, ("number", "abs(to_number(tenant))"))),
    ],
)
def test_nothing_is_to_be_known_of_most(rules: Rules) -> None:
    """What `where` asks for may be relied upon."""
    assert [text for text in told(rules) if "meet in one key" not in text] == []


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        (Rules(set=(JOINED,), where="starts_with(status, 'a')"), "transform.where: starts_with()"),
        (Rules(set=(JOINED, ("many", "length(tags)"))), "transform.set.many: length()"),
        (
            Rules(set=(("pk", "join('#', [tenant, to_string(id), eu])"),)),
            "transform.set.pk: join()",
        ),
        (Rules(set=(JOINED, ("many", "length(tags)")), where="status"), "transform.set.many"),
        (Rules(rename=(("pk", "email"),), allow_collisions=True), "'pk' of the replica's item"),
        (Rules(set=(("pk", "email"),), allow_collisions=True), "'pk' of the replica's item"),
    ],
)
def test_a_rule_that_needs_what_an_item_may_lack_is_told(rules: Rules, fault: str) -> None:
    """For such an item it fails, and that stops a shard."""
    assert any(fault in text and "nothing but its key" in text for text in told(rules))


@pytest.mark.parametrize(
    "rules",
    [
        Rules(set=(JOINED,), exclude=("tenant",)),
        Rules(set=(JOINED,), include=("id", "pk")),
        Rules(set=(JOINED,), python="tests.table.ruled:flatten"),
    ],
)
def test_a_replica_whose_items_cannot_be_traced_is_told(rules: Rules) -> None:
    """What is extra there is never found for sure."""
    assert any("which of the source's items" in text for text in told(rules))


def test_collisions_that_are_allowed_are_told() -> None:
    assert any("meet in one key" in text for text in told(Rules(allow_collisions=True)))
