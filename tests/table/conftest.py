"""Fixtures for tests of whole tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.table.managed_aws import ManagedAws


@pytest.fixture
def managed(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ManagedAws, str]]:
    """What stands before moto, and its URL; S3 is moto's own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto_url)
    aws = ManagedAws(moto_url)
    with aws.serving() as edge:
        yield aws, edge.url
