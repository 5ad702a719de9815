"""What another implementation of DynamoDB shows of itself."""

from __future__ import annotations

from typing import Any

import pytest

from kcl_processor.config.task import Side
from kcl_processor.operate.check import OK
from kcl_processor.operate.stores import unlike_aws

ARN = "arn:aws:dynamodb:{}:123456789012:table/orders"
LIKE_AWS = {
    "TableArn": ARN.format("eu-west-1"),
    "TableId": "46a20bc5-cbde-4409-15ae-de46e73a0000",
    "ItemCount": 3,
    "TableSizeBytes": 300,
}
THERE = Side("eu-west-1", "orders", "http://127.0.0.1:4567")


@pytest.mark.parametrize(
    ("answered", "words"),
    [
        ({}, []),
        ({"TableArn": ARN.format("us-east-1")}, ["same tables in every region"]),
        ({"TableId": ""}, ["no id"]),
        ({"TableSizeBytes": 0}, ["how large"]),
        ({"TableSizeBytes": 0, "ItemCount": 0}, []),
    ],
)
def test_what_a_table_s_description_lacks_is_told(
    answered: dict[str, Any], words: list[str]
) -> None:
    """One line each; nothing of it is in the way."""
    checks = list(unlike_aws(THERE, LIKE_AWS | answered))
    assert len(checks) == len(words)
    for check, word in zip(checks, words, strict=True):
        assert check.result == OK and word in check.text


def test_nothing_is_asked_of_aws() -> None:
    """A side without an endpoint of its own is AWS's."""
    assert not list(unlike_aws(Side("eu-west-1", "orders"), {"TableArn": ARN.format("x")}))
