"""What the doctor tells of a task's rules."""

from __future__ import annotations

from kcl_processor.operate.ruled import told
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform

KEYS = {"tenant": "S", "id": "N"}


def test_rules_are_told_with_the_keys_that_they_make() -> None:
    """And whether the item before a change is read, which costs."""
    rules = Rules(
        where="status != 'draft'",
        exclude=("card",),
        rename=(("a", "b"),),
        set=(("pk", "tenant"),),
        allow_collisions=True,
    )
    said, keys, old, collides = told(Transform(rules, KEYS, {"pk": "S"}))
    assert said.text == "rules: where status != 'draft'; exclude card; rename b to a; set pk"
    assert keys.text == "keys tenant S, id N are laid to pk S"
    assert old.text.endswith("read with each change")
    assert collides.result == "warn"


def test_keys_that_may_move_are_told() -> None:
    """An update of an item may delete another of the destination."""
    rules = Rules(set=(("pk", "join('#', [tenant, to_string(id), status])"),))
    _, keys, _, needing = told(Transform(rules, KEYS, {"pk": "S"}))
    assert "may change" in keys.text
    assert needing.result == "warn" and "transform.set.pk" in needing.text


def test_a_plain_rule_needs_no_old_image() -> None:
    """Then a change costs what it does without rules."""
    _, keys, old = told(Transform(Rules(exclude=("card",)), KEYS, KEYS))
    assert keys.text == "keys tenant S, id N are laid to tenant S, id N"
    assert old.text.endswith("not needed")


def test_what_is_to_be_known_is_a_warning() -> None:
    """Of a function nobody can know which item it makes."""
    rules = Rules(python="tests.table.ruled:flatten")
    *_, warned = told(Transform(rules, KEYS, KEYS))
    assert warned.result == "warn" and "tests.table.ruled:flatten" in warned.text
