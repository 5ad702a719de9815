"""The rules applied, from an item of the source to that of the replica."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given

from kcl_processor.errors import ConfigError
from kcl_processor.transform import function
from kcl_processor.transform.expression import Expression
from kcl_processor.transform.function import ItemChange
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import (
    Image,
    RuleFailed,
    Told,
    Transform,
    digest_of,
    without_reserved,
)
from kcl_processor.transform.values import dynamo
from tests.transform.given import SOURCE, items, ruled, rules

# Rules, and the key attributes of the replica.
Case = tuple[Rules, dict[str, str]]
ITEM: Image = {
    "pk": {"S": "p"},
    "sk": {"N": "1"},
    "a": {"S": "x"},
    "b": {"L": [{"N": "1.50"}]},
    "none": {"NULL": True},
    "tags": {"SS": ["b", "a"]},
    "aws:rep:deleting": {"BOOL": False},
}


def laid(some: Rules, item: Image | None = None, keys: Mapping[str, str] = SOURCE) -> Image | None:
    return Transform(some, SOURCE, keys).lay(ITEM if item is None else item)


def without(*names: str) -> Image:
    return {name: value for name, value in ITEM.items() if name not in (*names, "aws:rep:deleting")}


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        (Rules(), without()),
        (Rules(where="a == 'x'"), without()),
        (Rules(where="a == 'y'"), None),
        (Rules(where="gone"), None),
        (Rules(where="keys(@)[?starts_with(@, `aws:`)]"), None),
        (Rules(exclude=("a", "tags")), without("a", "tags")),
        (Rules(include=("pk", "sk", "a", "gone")), without("b", "none", "tags")),
        # Another name, two names, and two that change places.
        (Rules(rename=(("x", "a"),)), {**without("a"), "x": ITEM["a"]}),
        (Rules(rename=(("x", "a"), ("y", "a"))), {**without("a"), "x": ITEM["a"], "y": ITEM["a"]}),
        (Rules(rename=(("a", "b"), ("b", "a"))), {**without(), "a": ITEM["b"], "b": ITEM["a"]}),
        # One of the new name makes way, also where the old one is not there.
        (Rules(rename=(("b", "a"),)), {**without("a"), "b": ITEM["a"]}),
        (Rules(rename=(("b", "gone"),)), without("b")),
        (Rules(rename=(("x", "a"),), exclude=("a",)), without("a")),
        # What is set is of the source's item, whatever else becomes of it.
        (Rules(exclude=("a",), set=(("x", "a"),)), {**without("a"), "x": ITEM["a"]}),
        (
            Rules(rename=(("a", "b"),), set=(("x", "a"),)),
            {**without("b"), "a": ITEM["b"], "x": ITEM["a"]},
        ),
        (Rules(set=(("x", "'us'"), ("y", "x"))), {**without(), "x": {"S": "us"}}),
        (Rules(set=(("a", "b[0]"),)), {**without(), "a": {"N": "1.5"}}),
        # Null takes away; DynamoDB's own NULL is one, but for one that is deeper down.
        (Rules(set=(("a", "gone"),)), without("a")),
        (Rules(set=(("a", "none"),)), without("a")),
        (Rules(set=(("a", "not_null(none)"),)), without("a")),
        (Rules(set=(("a", "[none]"),)), {**without(), "a": {"L": [{"NULL": True}]}}),
        # Untouched, byte for byte.
        (Rules(set=(("x", "b"),)), {**without(), "x": ITEM["b"]}),
    ],
)
def test_rules_are_applied_in_their_order(some: Rules, expected: Image | None) -> None:
    """where, then include or exclude, then rename, then set; DynamoDB's own attributes never."""
    assert expected == laid(some)


@pytest.mark.parametrize(
    ("some", "said"),
    [
        (
            Rules(where="length(sk) > `1`"),
            "transform.where: length() takes string or array or object",
        ),
        (Rules(set=(("x", "sum(a)"),)), "transform.set.x: sum() takes array-number"),
        (Rules(set=(("x", "sum([`1e-130`, `1`])"),)), "transform.set.x: a number of more than 38"),
        (Rules(exclude=("sk",)), "'sk' of the replica's item, which is of its key, is not there"),
        (Rules(set=(("pk", "sk"),)), "is of type N instead of S"),
        (
            Rules(set=(("pk", "join('', `[]`)"),)),
            "'pk' of the replica's item, which is of its key, is empty",
        ),
    ],
)
def test_a_rule_that_fails_is_named(some: Rules, said: str) -> None:
    """With what is wrong, and nothing of the item; neither in the errors behind it."""
    with pytest.raises(RuleFailed) as failed:
        laid(some)
    assert said in str(failed.value)
    assert ends(failed.value)


def ends(error: Exception) -> bool:
    """Whether no other error is told with it."""
    return error.__cause__ is None and (error.__suppress_context__ or not error.__context__)


def between(case: Case) -> Transform:
    return Transform(case[0], SOURCE, case[1])


def outcome(transform: Transform, item: Image) -> Any:
    try:
        return transform.lay(item)
    except RuleFailed as failed:
        return str(failed)


@given(ruled(), items)
def test_rules_are_pure(case: Case, item: Image) -> None:
    """The same item always comes to the same, and is left as it was; in whatever order its
    attributes are told, and with DynamoDB's own or without."""
    before = copy.deepcopy(item)
    transform = between(case)
    first = outcome(transform, item)
    assert item == before
    turned = {name: item[name] for name in reversed(item)}
    assert outcome(transform, turned) == first
    assert outcome(transform, without_reserved(item)) == first
    assert outcome(between((Rules.parse(case[0].text()), case[1])), item) == first


@given(rules, items)
def test_the_replica_is_as_the_rules_read(some: Rules, item: Image) -> None:
    """Attribute by attribute, worked out in the plainest way; whatever the key."""
    found = outcome(Transform(some, SOURCE, {}), item)
    if isinstance(found, dict):
        names = {*item, *(new for new, _ in some.rename), *(name for name, _ in some.set)}
        expected = {name: attribute(some, name, item) for name in names}
        assert found == {name: value for name, value in expected.items() if value is not None}


def attribute(some: Rules, name: str, item: Image) -> Any:
    for target, text in some.set:
        if target == name:
            value = Expression(text).value(without_reserved(item))
            return None if value is None else item[text] if text in item else dynamo(value)
    kept = {n for n in item if (not some.include or n in some.include) and n not in some.exclude}
    for target, old in some.rename:
        if target == name:
            return item.get(old) if old in kept else None
    is_plain = name in kept and name not in [old for _, old in some.rename]
    return item[name] if is_plain and not name.startswith("aws:") else None


@given(ruled(), items)
def test_the_keys_are_those_of_the_destination(case: Case, item: Image) -> None:
    """All of them, of their type."""
    transform = between(case)
    found = outcome(transform, item)
    if isinstance(found, dict):
        key = transform.key_of(found)
        assert {name: next(iter(value)) for name, value in key.items()} == case[1]


@given(ruled(), items)
def test_an_item_is_traced_to_its_source(case: Case, item: Image) -> None:
    """Where it carries the source's key; never to another's."""
    transform = between(case)
    found = outcome(transform, item)
    if isinstance(found, dict):
        source = {name: item[name] for name in SOURCE}
        assert transform.origin(found) == (source if carries(case[0]) else None)


def carries(some: Rules) -> bool:
    """Whether each of the source's key attributes is in the replica, under any name."""
    probe = {name: {"S": f"the {name}"} for name in [*SOURCE, "a", "b", "c"]}
    names = {*probe, *(new for new, _ in some.rename), *(name for name, _ in some.set)}
    plain = Rules(include=some.include, exclude=some.exclude, rename=some.rename)
    held = [
        dict(some.set)[name] if name in dict(some.set) else probe_name(plain, name, probe)
        for name in names
    ]
    return set(SOURCE) <= set(held)


def probe_name(some: Rules, name: str, probe: Image) -> str | None:
    found = attribute(some, name, probe)
    return None if found is None else str(found["S"]).removeprefix("the ")


@given(ruled(), items)
def test_the_key_is_known_from_the_sources_alone(case: Case, item: Image) -> None:
    """Where it does not move; where it does, from the whole item's."""
    transform = between(case)
    found = outcome(transform, item)
    if isinstance(found, dict):
        key = {name: item[name] for name in SOURCE}
        assert transform.key_for(item) == transform.key_of(found)
        assert transform.moves or transform.key_for(key) == transform.key_of(found)


@given(ruled(), items, items)
def test_an_item_under_a_key_that_stays_stays_there(case: Case, item: Image, other: Image) -> None:
    """Where the old image is not needed, every version of an item is in the replica, or its rule
    fails, and under one key."""
    transform = between(case)
    after = {**other, **{name: item[name] for name in SOURCE}}
    first, then = outcome(transform, item), outcome(transform, after)
    if not transform.needs_old:
        assert first is not None and then is not None
    if not transform.moves and isinstance(first, dict) and isinstance(then, dict):
        assert transform.key_of(first) == transform.key_of(then)


@given(ruled(), items)
def test_rules_are_refused_only_if_nothing_can_come_of_them(case: Case, item: Image) -> None:
    """Or where items may meet: an item that gets through is of rules that are let through."""
    transform = between(case)
    try:
        transform.refuse_impossible()
    except ConfigError as refused:
        if "may meet" not in refused.message:
            assert not isinstance(outcome(transform, item), dict)


@pytest.mark.parametrize(
    ("some", "keys", "said"),
    [
        (Rules(include=("a",)), {"pk": "S"}, "has 'pk'"),
        (
            Rules(exclude=("sk",)),
            SOURCE,
            "has 'sk', which is of the destination's key, of type N: no rule",
        ),
        (Rules(rename=(("x", "pk"),)), SOURCE, "has 'pk'"),
        (Rules(rename=(("id", "pk"),), include=("sk",)), {"id": "S", "sk": "N"}, "has 'id'"),
        (
            Rules(rename=(("id", "sk"),)),
            {"pk": "S", "id": "S"},
            "it is the source's 'sk', of type N",
        ),
        (
            Rules(set=(("id", "`1`"),)),
            {"pk": "S", "id": "S"},
            "of type N instead of S for every item",
        ),
        (Rules(set=(("id", "`null`"),)), {"pk": "S", "id": "S"}, "not there for every item"),
        (Rules(set=(("id", "''"),)), {"pk": "S", "id": "S"}, "empty for every item"),
        (Rules(set=(("id", "sum('a')"),)), {"pk": "S", "id": "S"}, "sum() takes array-number"),
        (Rules(), {"pk": "S"}, "not made from 'sk'"),
        (Rules(set=(("pk", "'us'"),)), SOURCE, "not made from 'pk'"),
        (Rules(set=(("id", "a"),)), {"id": "S"}, "not made from 'pk', 'sk'"),
        (Rules(allow_collisions=True), {"pk": "S"}, None),
        (Rules(set=(("id", "join('#', [pk, to_string(sk)])"),)), {"id": "S"}, None),
        (
            Rules(set=(("us", "'us'"), ("id", "[pk, sk] | join('#', @[0:1])"))),
            {"us": "S", "id": "S"},
            None,
        ),
        (Rules(set=(("id", "keys(@)[0]"),)), {"id": "S"}, None),
        (Rules(python="sys:intern"), {"id": "S"}, None),
    ],
)
def test_what_can_be_proven_is_refused(some: Rules, keys: dict[str, str], said: str | None) -> None:
    """A replica without its key, or whose items meet; what an item may still bring is let be."""
    transform = Transform(some, SOURCE, keys)
    if said is None:
        transform.refuse_impossible()
        return
    with pytest.raises(ConfigError) as refused:
        transform.refuse_impossible()
    assert said in refused.value.message
    assert "transform." in refused.value.hint


@pytest.mark.parametrize(
    ("some", "keys", "needs", "moves"),
    [
        (Rules(exclude=("a",), rename=(("x", "b"),), set=(("y", "c"),)), SOURCE, False, False),
        (Rules(rename=(("id", "pk"),)), {"id": "S", "sk": "N"}, False, False),
        (Rules(where="a"), SOURCE, True, False),
        (Rules(set=(("pk", "a"),)), SOURCE, True, True),
        (Rules(set=(("pk", "@.pk"),)), SOURCE, False, False),
        (Rules(set=(("pk", "keys(@)[0]"),)), SOURCE, True, True),
        (Rules(), {"pk": "S", "a": "S"}, True, True),
        (Rules(python="sys:intern"), SOURCE, True, True),
    ],
)
def test_the_old_image_is_asked_for_where_it_tells_something(
    some: Rules, keys: dict[str, str], needs: object, moves: object
) -> None:
    """Which item of the replica has to go."""
    transform = Transform(some, SOURCE, keys)
    assert (needs, moves) == (transform.needs_old, transform.moves)


def test_the_key_of_a_deletion_asks_nothing_of_other_attributes() -> None:
    """They are not told with it: a rule over them would fail."""
    some = Rules(set=(("x", "sum(b)"), ("id", "join('#', [pk, to_string(sk)])")))
    transform = Transform(some, SOURCE, {"id": "S"})
    assert transform.key_for({"pk": {"S": "p"}, "sk": {"N": "1"}}) == {"id": {"S": "p#1"}}


def test_an_item_that_is_not_of_these_rules_is_not_traced() -> None:
    """It was put there by hand, or by rules of before."""
    transform = Transform(Rules(rename=(("id", "pk"),)), SOURCE, {"id": "S", "sk": "N"})
    assert transform.origin({"id": {"S": "p"}, "sk": {"N": "1"}}) == {
        "pk": {"S": "p"},
        "sk": {"N": "1"},
    }
    for other in (
        {"id": {"S": "p"}},
        {"id": {"N": "1"}, "sk": {"N": "1"}},
        {"id": {"S": ""}, "sk": {"N": "1"}},
    ):
        assert transform.origin(other) is None


def test_other_rules_have_another_digest(rule: Callable[..., str]) -> None:
    """And so has another text of the module."""
    some = [
        Rules(),
        Rules(where="a"),
        Rules(where="b"),
        Rules(exclude=("a",)),
        Rules(include=("a",)),
        Rules(rename=(("a", "b"),)),
        Rules(set=(("a", "b"),)),
        Rules(allow_collisions=True),
        Rules(python=rule("first", lambda change: change.new)),
    ]
    assert len({Transform(one, SOURCE, SOURCE).digest() for one in some}) == len(some)
    turned = [
        Rules(set=pairs, exclude=("a", "b"))
        for pairs in ((("a", "b"), ("c", "d")), (("c", "d"), ("a", "b")))
    ]
    assert len({Transform(one, SOURCE, SOURCE).digest() for one in turned}) == 1


def test_without_a_rule_there_is_no_digest() -> None:
    """A task that begins to keep what time to live deletes has the rules that it had: none."""
    assert Transform(Rules(), SOURCE, SOURCE).digest() == ""


def test_an_expression_that_cannot_be_compiled_is_a_wrong_configuration() -> None:
    """A .properties of another version may hold one."""
    with pytest.raises(ConfigError, match=r"transform.set.x: .*at column 3 of the expression"):
        Transform(Rules(set=(("x", "a."),)), SOURCE, SOURCE)


# Rules in Python.


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes a function a rule, and gives its name."""

    def made(name: str, body: Callable[[ItemChange], Any]) -> str:
        module = ModuleType(f"rules_{name}")
        module.__dict__["rule"] = body
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return f"{module.__name__}:rule"

    function._found.cache_clear()
    return made


def noted(change: ItemChange, seen: list[ItemChange]) -> Mapping[str, Any]:
    """A rule that changes nothing."""
    seen.append(change)
    return change.new or {}


TOLD = Told({"pk": {"S": "p"}, "sk": {"N": "1"}}, "MODIFY", "17", 12.5, {**ITEM, "a": {"S": "was"}})


def test_a_function_is_given_a_change_after_the_other_rules(rule: Callable[..., str]) -> None:
    """As plain Python; and has the last word."""
    seen: list[ItemChange] = []
    name = rule("seen", lambda change: {**noted(change, seen), "n": {1, 2}})
    some = Rules(where="a", exclude=("none", "tags"), set=(("b", "b[0]"),), python=name)
    transform = Transform(some, SOURCE, SOURCE)
    found = transform.lay(ITEM, TOLD)
    new = {"pk": "p", "sk": Decimal(1), "a": "x", "b": Decimal("1.5")}
    keys = {"pk": "p", "sk": Decimal(1)}
    assert seen == [
        ItemChange(keys, new, {**new, "a": "was"}, "MODIFY", sequence_number="17", created=12.5)
    ]
    assert found is not None and found["n"] == {"NS": ["1", "2"]} and found["b"] == {"N": "1.5"}
    assert transform.lay(ITEM) == found
    assert seen[1:] == [ItemChange(keys, new)]


def test_a_function_is_not_asked_about_what_is_outside_where(rule: Callable[..., str]) -> None:
    """Neither of a stream nor of a table; the old item is none where it was outside."""
    seen: list[ItemChange] = []
    some = Rules(where="a == 'x'", python=rule("outside", lambda change: noted(change, seen)))
    transform = Transform(some, SOURCE, SOURCE)
    assert transform.lay({**ITEM, "a": {"S": "y"}}) is None
    assert transform.lay({**ITEM, "a": {"S": "y"}}, TOLD) is None
    assert seen == []
    assert transform.lay(ITEM, TOLD) is not None
    assert [change.old for change in seen] == [None]


def test_a_function_may_keep_what_was_deleted(rule: Callable[..., str]) -> None:
    """It is told whether time to live deleted it."""
    name = rule(
        "kept", lambda change: {**change.old, "gone": True} if change.expired else change.new
    )
    transform = Transform(Rules(python=name), SOURCE, SOURCE)
    by_ttl = Told(TOLD.keys, "REMOVE", "18", 12.5, ITEM, expired=True)
    by_hand = Told(TOLD.keys, "REMOVE", "18", 12.5, ITEM)
    kept = transform.lay(None, by_ttl)
    assert kept is not None and kept["gone"] == {"BOOL": True}
    assert transform.lay(None, by_hand) is None
    assert transform.lay(None) is None


def test_nothing_is_traced_that_a_function_had_the_last_word_on(rule: Callable[..., str]) -> None:
    """Its keys may be any."""
    transform = Transform(Rules(python=rule("last", lambda c: c.new)), SOURCE, SOURCE)
    assert transform.origin(ITEM) is None


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (1 / 4, "transform.python: it returned a float"),
        ([1], "transform.python: it returned a list"),
        ({"pk": 0.5}, "transform.python: a float is inexact"),
        ({1: "a"}, "transform.python: an attribute's name"),
        ({"pk": "p", "sk": 1, "aws:x": 1}, "names in aws: are DynamoDB's own"),
        ({"pk": "p"}, "'sk' of the replica's item, which is of its key, is not there"),
        ({"pk": "p", "sk": "1"}, "is of type S instead of N"),
        (KeyError("4111"), "transform.python: KeyError at line"),
        # By which a command would end, and well at that.
        (SystemExit(0), "transform.python: SystemExit at line"),
    ],
)
def test_a_function_that_fails_fails_for_this_item(
    rule: Callable[..., str], result: Any, said: str
) -> None:
    """Like any other rule; what it said of the item stays untold."""

    def fails(_change: ItemChange) -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    transform = Transform(Rules(python=rule("fails", fails)), SOURCE, SOURCE)
    with pytest.raises(RuleFailed) as failed:
        transform.lay(ITEM)
    assert said in str(failed.value) and "4111" not in str(failed.value)
    assert ends(failed.value)


def test_an_old_item_for_which_a_rule_fails_was_not_in_the_replica(
    rule: Callable[..., str],
) -> None:
    """The function is given none."""
    seen: list[ItemChange] = []
    some = Rules(set=(("x", "length(a)"),), python=rule("old", lambda change: noted(change, seen)))
    broken = Told(TOLD.keys, "MODIFY", "17", 12.5, {**ITEM, "a": {"N": "1"}})
    assert Transform(some, SOURCE, SOURCE).lay(ITEM, broken) is not None
    assert [change.old for change in seen] == [None]


def test_nothing_is_said_of_bare_items_where_the_filter_may_ask_for_anything() -> None:
    """They may be the very ones that it leaves out."""
    set_ = (("pk", "join('#', [pk, kind])"),)
    assert list(Transform(Rules(set=set_), SOURCE, {"pk": "S"}).needing())
    asks_for_any = Rules(where="length(keys(@)) > `2`", set=set_)
    assert not list(Transform(asks_for_any, SOURCE, {"pk": "S"}).needing())


def test_rules_have_a_digest_and_none_has_none() -> None:
    """What was laid by rules is told from what was laid without."""
    assert digest_of(None) == ""
    assert digest_of(Transform(Rules(exclude=("a",)), SOURCE, SOURCE))
