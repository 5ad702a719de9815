"""Whose an endpoint is, and whose some keys are, as far as they look like it."""

from __future__ import annotations

import boto3
import pytest

from kcl_processor.aws.hosts import is_aws, is_aws_key, is_in_clear


@pytest.mark.parametrize(
    ("key", "looks"),
    [
        ("AKIAIOSFODNN7EXAMPLE", True),
        ("ASIAIOSFODNN7EXAMPLE", True),
        ("test", False),
        ("AKIA", False),
        ("minio-AKIAIOSFODNN7EXAMPLE", False),
        ("GOOG1EXAMPLE", False),
    ],
)
def test_a_key_of_aws_begins_as_all_of_them_do(key: str, *, looks: bool) -> None:
    """A person's or a session's; another store's begin otherwise."""
    assert is_aws_key(key) is looks


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com", True),
        ("https://dynamodb.us-east-1.api.aws", True),
        ("https://DYNAMODB.cn-north-1.amazonaws.com.cn:443/", True),
        ("https://amazonaws.com.example.org", False),
        ("https://myamazonaws.com", False),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_aws_is_told_by_the_end_of_the_hosts_name(url: str, *, ours: bool) -> None:
    """Of a whole label: anybody may have a name that only looks like it."""
    assert is_aws(url) is ours


@pytest.mark.parametrize("partition", boto3.Session().get_available_partitions())
def test_every_partition_is_aws(partition: str) -> None:
    """As botocore has its endpoints."""
    session = boto3.Session(aws_access_key_id="-", aws_secret_access_key="-")
    (region, *_) = session.get_available_regions("dynamodb", partition)
    assert is_aws(session.client("dynamodb", region).meta.endpoint_url)


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("http://store.example:8000", True),
        ("http://10.0.0.7", True),
        ("https://store.example", False),
        ("http://localhost:8000", False),
        ("http://127.1.2.3:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_plain_http_is_in_clear_but_to_this_host(url: str, *, clear: bool) -> None:
    """Nobody is on the way to oneself."""
    assert is_in_clear(url) is clear
