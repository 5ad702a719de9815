"""Items of any type, for hypothesis; in DynamoDB's JSON, as a stream and a table tell them."""

from __future__ import annotations

import base64
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from kcl_processor.transform.rules import Rules
from kcl_processor.transform.values import spelled

# DynamoDB's limits: 38 digits, magnitudes 1E-130 to 9.99E+125 (developer guide, "Data types").
decimals = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal),
    st.builds(
        lambda digits, power: Decimal(f"{digits}E{power}"),
        st.integers(-(10**37), 10**37),
        st.integers(-130, 88),
    ),
    st.sampled_from([Decimal(0), Decimal("1E-130"), Decimal("9." + "9" * 37 + "E125")]),
)
numbers = decimals.map(spelled)
# Surrogates cannot be encoded, so no client can have written them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.sampled_from("abcde") | texts.filter(bool)
blobs = st.binary(max_size=8).map(lambda raw: base64.b64encode(raw).decode())


def _set_of(kind: str, members: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(members, min_size=1, max_size=4, unique=True).map(lambda found: {kind: found})


scalars = st.one_of(
    texts.map(lambda text: {"S": text}),
    numbers.map(lambda number: {"N": number}),
    blobs.map(lambda blob: {"B": blob}),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.just({"NULL": True}),
)
sets = st.one_of(_set_of("SS", texts), _set_of("NS", numbers), _set_of("BS", blobs))
values = st.recursive(
    scalars | sets,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda found: {"L": found}),
        st.dictionaries(names, inner, max_size=4).map(lambda found: {"M": found}),
    ),
    max_leaves=8,
)
images = st.dictionaries(names, values, max_size=6)


# Rules over items with the key attributes pk (S) and sk (N), and a few more.
SOURCE = {"pk": "S", "sk": "N"}
ATTRIBUTES = ["pk", "sk", "a", "b", "c"]
_attributes = st.sampled_from(ATTRIBUTES)
_names = st.sampled_from([*ATTRIBUTES, "id", "x"])
_expressions = st.sampled_from(
    ["pk", "sk", "a", "b", "'us'", "a || pk", "length(a)", "nowhere", "{pk: pk, all: a}", "sum(b)"]
)
# What may be of a key, by its type.
_of_key = {
    "S": st.sampled_from(
        [
            "pk",
            "'us'",
            "join('#', [pk, to_string(sk)])",
            "join('#', [pk, a])",
            "to_string(b)",
            "keys(@)[0]",
        ]
    ),
    "N": st.sampled_from(["sk", "`1`", "length(pk)", "sum([sk, b])"]),
}
_wheres = st.sampled_from(["a", "sk > `1`", "pk == 'x'", "length(a) > `0`", "keys(@)[2]"])
rules = st.builds(
    lambda where, some, is_included, rename, set_: Rules(
        where=where,
        include=some if is_included else (),
        exclude=() if is_included else some,
        rename=tuple(rename.items()),
        set=tuple(set_.items()),
    ),
    st.none() | _wheres,
    st.just(()) | st.lists(_attributes, max_size=3, unique=True).map(tuple),
    st.booleans(),
    st.just({}) | st.dictionaries(_names, _attributes, max_size=3),
    st.dictionaries(_names, _expressions, max_size=3),
)


@st.composite
def ruled(draw: st.DrawFn) -> tuple[Rules, dict[str, str]]:
    """Rules, and key attributes of the replica that most of the time come of them."""
    keys = draw(
        st.sampled_from([SOURCE, {"id": "S"}, {"x": "S", "id": "N"}, {"a": "S", "pk": "S"}])
    )
    some = draw(rules)
    made = {name: draw(_of_key[kind]) for name, kind in keys.items() if draw(st.integers(0, 3))}
    return replace(some, set=tuple({**dict(some.set), **made}.items())), keys


items = st.builds(
    lambda pk, sk, rest: {**rest, "pk": {"S": pk}, "sk": {"N": sk}},
    st.sampled_from(["x", "y"]),
    st.sampled_from(["1", "2"]),
    st.dictionaries(st.sampled_from(["a", "b", "c", "aws:rep:deleting"]), values, max_size=4),
)
