"""boto3 clients for what runs on this machine, and what they raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from integration.credentials import CREDENTIALS

# boto3 makes a client's methods when it runs, and ships no types for them.
Client: TypeAlias = Any

# What boto3 raises for a connection that is refused, and for one that breaks.
BROKEN = (BotoConnectionError, HTTPClientError)


def client(service: str, url: str, region: str = "us-east-1") -> Client:
    """Return a boto3 client that makes one attempt a call."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    )


def refusal(call: Callable[..., object], **parameters: object) -> dict[str, str]:
    """Make a call that must be refused; return the `Code` and the `Message` of the answer."""
    try:
        call(**parameters)
    except ClientError as refused:
        error: dict[str, str] = refused.response["Error"]
        return error
    raise AssertionError(f"answered, not refused: {parameters}")
