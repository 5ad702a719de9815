"""Credentials that open nothing, for everything that the tests start."""

from __future__ import annotations

import os

# One key for all: DynamoDB Local may give each access key tables of its own.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def environment() -> dict[str, str]:
    """This environment with these credentials."""
    return {**os.environ, **CREDENTIALS}
