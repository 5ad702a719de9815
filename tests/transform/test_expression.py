"""JMESPath over items: DynamoDB's types keep their meaning."""

from __future__ import annotations

import json
import warnings
from decimal import Decimal
from typing import Any

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jmespath.visitor import TreeInterpreter

from kcl_processor.transform.expression import Expression, ExpressionError, ExpressionFailed
from kcl_processor.transform.values import dynamo, plain
from tests.transform.given import decimals, images, names, values

LONG = "12345678901234567890123456789012345678"
ITEM: dict[str, Any] = {
    "id": {"S": "a"},
    "total": {"N": "10.5"},
    "big": {"N": LONG},
    "one": {"N": "1"},
    "tenth": {"N": "0.1"},
    "yes": {"BOOL": True},
    "none": {"NULL": True},
    "blob": {"B": "AAE="},
    "tags": {"SS": ["b", "a"]},
    "sizes": {"NS": ["10", "9"]},
    "lines": {"L": [{"M": {"sku": {"S": "x"}, "n": {"N": "2"}}}, {"M": {"n": {"N": "1.1"}}}]},
    "empty": {"L": []},
}


def value(text: str, **attributes: dict[str, Any]) -> Any:
    return Expression(text).value({**ITEM, **attributes})


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        # Numbers, to the last digit.
        (True, f"big == `{LONG}`"),
        (False, f"big == `{LONG[:-1]}9`"),
        (True, f"big < `{LONG[:-1]}9`"),
        (True, "tenth == `0.1`"),
        (True, "total == `10.50`"),
        (True, "one == `1.0`"),
        (True, "one == `1e0`"),
        (False, "yes == `1`"),
        (False, "[yes] == [one]"),
        (True, "total > `10` && total <= `10.5`"),
        # What is of two types, or absent, has no order.
        (None, "total > id"),
        (None, "gone < `1`"),
        (None, "blob < id"),
        (True, "id < 'b'"),
        (True, "gone == `null`"),
        (True, "none == gone"),
        (True, "id != gone"),
        # Sets are lists in which order does not count.
        (True, "contains(tags, 'a')"),
        (True, "tags == ['b', 'a'] && tags == ['a', 'b']"),
        (False, "tags == ['a']"),
        ("a", "tags[0]"),
        ("a,b", "join(',', tags)"),
        ([Decimal(10), Decimal(9)], "sizes[::-1]"),
        (Decimal(2), "length(sizes)"),
        (Decimal(10), "max(sizes)"),
        # Maps and lists.
        (["x"], "lines[].sku"),
        ([Decimal(2)], "lines[?sku == 'x'].n"),
        (Decimal("1.1"), "min_by(lines, &n).n"),
        ([Decimal("1.1"), Decimal(2)], "sort_by(lines, &n)[].n"),
        ({"a": "a", "b": Decimal(1)}, "{a: id, b: one}"),
        # A function that fails for null is not asked.
        (None, "gone && contains(gone, 'a')"),
        # Truth is JMESPath's: 0 is true, what is empty is not.
        (True, "!empty"),
        (False, "!`0`"),
        ("a", "gone || id"),
        # A text in backticks, as the AWS command line's manuals have it.
        ("draft", "`draft`"),
        ("NaN", "`NaN`"),
        ("dra`ft", "`dra\\`ft`"),
        ([Decimal(1), {"a": True}], '`[1, {"a": true}]`'),
    ],
)
def test_an_expression_comes_to_its_value(expected: Any, text: str) -> None:
    """Of types, as of values."""
    found = value(text)
    assert (type(found), found) == (type(expected), expected)


@given(decimals, decimals)
def test_numbers_are_ordered_exactly(ours: Decimal, theirs: Decimal) -> None:
    """An attribute with another, and with a literal."""
    item = {"a": dynamo(ours), "b": dynamo(theirs)}
    orders = {"<": ours < theirs, "<=": ours <= theirs, ">": ours > theirs, ">=": ours >= theirs}
    for order, expected in {**orders, "==": ours == theirs, "!=": ours != theirs}.items():
        assert Expression(f"a {order} b").value(item) is expected
        assert Expression(f"a {order} `{theirs}`").value(item) is expected


@given(values)
def test_a_value_passes_untouched(given_value: dict[str, Any]) -> None:
    """Through a path, a choice, a list: sets and binaries are what they were."""
    image = {"a": {"M": {"b": given_value}}}
    found = Expression("[a.b][0]").value(image)
    assert dynamo(found) == dynamo(plain(given_value))


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("a.", 3),
        ("a == 'b", 6),
        ("a # b", 3),
        ("status != 'draft' && total > 10", 30),
        ("a 10", 3),
        ("a == `" + "1" * 39 + "`", 6),
        ("a == `1e999`", 6),
        ('a == `{"b`', 6),
        ("nothing(a)", 1),
        ("a && nothing(b)", 6),
        ("a && length(b, c)", 6),
        ("join('#')", 1),
        ("sort_by(a, b)", 1),
        ("a || &b", 6),
        ("length(&b)", 8),
        ("a[::0]", 3),
        ("a b", 3),
        ("a ]", 3),
        ("a = b", 3),
        ("(" * 5000, 1),
        ("a[" + "9" * 5000 + "]", 1),
    ],
)
def test_what_is_no_expression_is_told_with_its_column(text: str, column: int) -> None:
    """From 1; and in words."""
    with pytest.raises(ExpressionError) as refused:
        Expression(text)
    assert (column, True) == (refused.value.column, bool(refused.value.reason))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.", "it ends too early"),
        ("(a", "it ends too early"),
        ("a == ]", "']' cannot stand there"),
        ("a b", "the expression has ended before this, at 'b'"),
        ("a = b", "Unknown token '='"),
        ("nothing(b)", "there is no function nothing(), at 'nothing'"),
        ("a && length(b, c)", "length() takes 1 argument, not 2, at 'length'"),
    ],
)
def test_what_is_no_expression_is_told_in_words(text: str, said: str) -> None:
    """Not in those of a parser."""
    with pytest.raises(ExpressionError) as refused:
        Expression(text)
    assert said == refused.value.reason


def test_a_number_without_backticks_is_told_how_it_is_written() -> None:
    """It is what everybody forgets."""
    with pytest.raises(ExpressionError, match="backticks"):
        Expression("total > 10")


@given(images, st.data())
def test_a_failure_tells_no_value(image: dict[str, Any], data: st.DataObject) -> None:
    """Whatever an item holds."""
    secret = {"S": "4111-1111"}
    image = {**image, "a": secret, "b": {"L": [secret]}, "c": {"M": {"a": secret}}}
    kind, said = outcome(data.draw(expressions), image)
    assert kind == "value" or "4111" not in said


# Texts of JMESPath; of what they come to nothing is said.
_fields = st.sampled_from(["a", "b", "c", "@", '"d e"'])
expressions = st.recursive(
    st.one_of(
        _fields, names.filter(str.isidentifier).filter(str.isascii), st.just("`1`"), st.just("'x'")
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "|", "==", "!=", "<", ">="]), inner).map(
            " ".join
        ),
        st.tuples(_fields, inner.filter(lambda text: text[0].isalpha() or text[0] == '"')).map(
            ".".join
        ),
        st.tuples(
            inner, st.sampled_from(["[0]", "[]", "[*]", ".*", "[::-1]", "[]", ".keys(@)"])
        ).map(lambda pair: f"({pair[0]}){pair[1]}"),
        inner.map(lambda text: f"!({text})"),
        st.tuples(
            st.sampled_from(
                ["keys", "values", "length", "to_string", "type", "sort", "not_null", "sum"]
            ),
            inner,
        ).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(st.sampled_from(["sort_by", "min_by", "max_by"]), inner, inner).map(
            lambda parts: f"{parts[0]}({parts[1]}, &({parts[2]}))"
        ),
        st.tuples(inner, inner).map(lambda pair: f"map(&({pair[0]}), to_array({pair[1]}))"),
        st.tuples(inner, inner).map(lambda pair: f"[{pair[0]}, {pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"{{x: {pair[0]}, a: {pair[1]}}}"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})[?{pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"join('#', to_array(({pair[0]}) | {pair[1]}))"),
    ),
    max_leaves=6,
).filter(lambda text: _is_one(text))


def _is_one(text: str) -> bool:
    try:
        Expression(text)
    except ExpressionError:
        return False
    return True


def outcome(text: str, image: dict[str, Any]) -> tuple[str, Any]:
    """Of an expression; a failure is one, too."""
    try:
        return "value", dynamo(Expression(text).value(image))
    except ExpressionFailed as failed:
        return "failed", str(failed)


@given(expressions, images)
def test_an_expression_sees_no_more_than_it_says(text: str, image: dict[str, Any]) -> None:
    """On an item cut down to what it reads it comes to the same."""
    reads = Expression(text).attributes
    if reads is not None:
        cut = {name: value for name, value in image.items() if name in reads}
        assert outcome(text, image) == outcome(text, cut)


@given(expressions, images)
def test_the_order_of_an_items_attributes_does_not_count(text: str, image: dict[str, Any]) -> None:
    """A scan and a stream may tell it in two."""
    turned = {name: image[name] for name in reversed(image)}
    assert outcome(text, image) == outcome(text, turned)


# What the library does as JMESPath has it: without sets, binaries, and true beside 1.
_json_values = st.recursive(
    st.integers(2, 50) | st.sampled_from(["", "x", "y"]) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


_library = TreeInterpreter()
# To Python, and so to the library, true is 1 wherever both lie in lists.
_library.COMPARATOR_FUNC = {
    **TreeInterpreter.COMPARATOR_FUNC,
    "eq": lambda one, other: _as_text(one) == _as_text(other),
    "ne": lambda one, other: _as_text(one) != _as_text(other),
}


@example("[a, `1`] == [a, `1` == `1`]", {})
@given(expressions, st.dictionaries(st.sampled_from("abc"), _json_values))
def test_it_is_the_librarys_jmespath(text: str, item: dict[str, Any]) -> None:
    """Wherever that has an answer, over all that JSON has."""
    item = _sorted(item)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = _library.visit(jmespath.compile(text).parsed, item)
        except Exception:
            return
    image = {name: dynamo(value) for name, value in item.items()}
    found = Expression(text).value(image)
    assert _of_json(found) == expected


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def _of_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, dict):
        return {name: _of_json(inner) for name, inner in value.items()}
    return [_of_json(inner) for inner in value] if isinstance(value, list) else value


def test_a_plain_attribute_is_told() -> None:
    """A key that is only renamed by it can be traced back."""
    assert Expression(' "a b" ').field == "a b"
    assert Expression("a").field == "a"
    assert [Expression(text).field for text in ("a.b", "a || b", "'a'")] == [None] * 3


@pytest.mark.parametrize("broken", [{"N": "many"}, {"B": "a"}, {"X": "a"}, {}, {"NS": ["x"]}])
def test_what_no_dynamodb_holds_fails_like_a_rule(broken: dict[str, Any]) -> None:
    """A store that is like it may hold it; one item is set aside, and the task goes on."""
    with pytest.raises(ExpressionFailed, match="cannot be worked out"):
        value("a", a=broken)


def test_where_asks_for_truth() -> None:
    """JMESPath's: not null, false or empty."""
    held = [text for text in ("id", "none", "gone", "empty", "`0`", "''", "!yes") if holds(text)]
    assert held == ["id", "`0`"]


def holds(text: str) -> bool:
    return Expression(text).holds(ITEM)
