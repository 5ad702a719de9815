"""Items of any type, for hypothesis; in DynamoDB's JSON, as a stream and a table tell them."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

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
