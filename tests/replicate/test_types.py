"""Every DynamoDB type passes through decode and write unchanged, for any value of it."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcl_processor.aws.wire import endpoint
from kcl_processor.clock import SystemClock
from kcl_processor.config.access import DEFAULT
from kcl_processor.replicate.backoff import Window
from kcl_processor.replicate.coalesce import coalesce
from kcl_processor.replicate.decode import decode
from kcl_processor.replicate.destination import DestinationTable
from kcl_processor.replicate.refusals import Origin, StopOnRefusal
from kcl_processor.replicate.write import Writer
from tests.fakes import OpenFence

# DynamoDB's limits: 38 digits, magnitudes 1E-130 to 9.99E+125 (Data types, developer guide).
digits = st.integers(-(10**38) + 1, 10**38 - 1)
exponents = st.integers(-130, 88)
numbers = st.one_of(
    digits.map(str),
    st.builds(lambda mantissa, power: f"{mantissa}E{power}", st.integers(1, 10**37), exponents),
    st.sampled_from(["0", "1E-130", "9.9999999999999999999999999999999999999E+125", "-0.5"]),
)
# Surrogates cannot be encoded, so no client can have written them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
blobs = st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode())


def a_set(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(values, min_size=1, max_size=4, unique=True)


scalars = st.one_of(
    st.fixed_dictionaries({"S": texts}),
    st.fixed_dictionaries({"N": numbers}),
    st.fixed_dictionaries({"B": blobs}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.just({"NULL": True}),
    st.fixed_dictionaries({"SS": a_set(texts.filter(bool))}),
    st.fixed_dictionaries({"NS": a_set(digits.map(str))}),
    st.fixed_dictionaries({"BS": a_set(blobs.filter(bool))}),
)
names = texts.filter(bool)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=4)}),
        st.fixed_dictionaries({"M": st.dictionaries(names, inner, max_size=4)}),
    ),
    max_leaves=12,
)
items = st.dictionaries(names.filter(lambda name: name != "pk"), values, max_size=6)


@pytest.fixture(scope="module")
def table(moto_url: str) -> tuple[Any, str]:
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=moto_url)
    name = f"t-{uuid.uuid4().hex}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client, name


@pytest.fixture(scope="module")
def writer(moto_url: str, table: tuple[Any, str]) -> Writer:
    clock = SystemClock()
    wire = endpoint("us-east-1", moto_url, DEFAULT, 8, clock)
    destination = DestinationTable(table[1], wire)
    origin = Origin("task", "source", table[1], "shard")
    pool = ThreadPoolExecutor(8)
    return Writer(destination, StopOnRefusal(origin), clock, time.sleep, Window(largest=8), pool)


@given(st.lists(items, min_size=1, max_size=5))
@settings(max_examples=40)
def test_any_item_is_read_back_as_it_was_in_the_stream(
    writer: Writer,
    table: tuple[Any, str],
    generated: list[dict[str, Any]],
) -> None:
    """What a client of the destination reads is what the stream's image said, byte for byte."""
    client, name = table
    expected = {f"k{n}": {"pk": {"S": f"k{n}"}, **item} for n, item in enumerate(generated)}
    changes = [decode(record(item), str(n)) for n, item in enumerate(expected.values())]
    writer.write(coalesce(changes), OpenFence())
    wanted = {name: {"Keys": [{"pk": item["pk"]} for item in expected.values()]}}
    read = client.batch_get_item(RequestItems=wanted)["Responses"][name]
    assert {item["pk"]["S"]: mapped(as_wire, item) for item in read} == {
        key: mapped(ordered, item) for key, item in expected.items()
    }


def record(item: dict[str, Any]) -> bytes:
    stream_record = {"Keys": {"pk": item["pk"]}, "NewImage": item}
    return json.dumps({"eventName": "INSERT", "dynamodb": stream_record}).encode()


def mapped(form: Callable[[Any], Any], item: dict[str, Any]) -> dict[str, Any]:
    """An item with each value in another form."""
    return {name: form(value) for name, value in item.items()}


def as_wire(value: dict[str, Any]) -> dict[str, Any]:
    """boto3's form of a value back to DynamoDB JSON, sets in order."""
    ((kind, content),) = value.items()
    if kind == "B":
        return {"B": base64.b64encode(content).decode()}
    if kind == "BS":
        return {"BS": sorted(base64.b64encode(raw).decode() for raw in content)}
    if kind == "L":
        return {"L": [as_wire(inner) for inner in content]}
    if kind == "M":
        return {"M": {name: as_wire(inner) for name, inner in content.items()}}
    return ordered(value)


def ordered(value: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB JSON with sets in order, all the way down."""
    ((kind, content),) = value.items()
    if kind in ("SS", "NS", "BS"):
        return {kind: sorted(content)}
    if kind == "L":
        return {"L": [ordered(inner) for inner in content]}
    if kind == "M":
        return {"M": {name: ordered(inner) for name, inner in content.items()}}
    return value
