"""Fixtures that the stories share: one DynamoDB Local a session, tables of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kcl_processor.dynamodb_local import dynamodb_local


@pytest.fixture(scope="session")
def local() -> Iterator[str]:
    """The URL of a DynamoDB Local whose regions have tables of their own."""
    with dynamodb_local(regions_apart=True) as url:
        yield url
