"""Fixtures for tests that speak to AWS's own interfaces, and how property tests run."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import boto3
import pytest
from hypothesis import HealthCheck, settings
from moto.server import ThreadedMotoServer

from kcl_processor.config.task import Task
from tests.kcl_tables import fill, make_task

# How long an example takes is the machine's business: a busy one fails no property.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_collection_finish() -> None:
    """What the tests are made of stays: a process that is forked is preceded by a look through all
    that could be garbage, a third of a second here, and many are forked."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _what_is_there_stays() -> None:
    """What moto holds by now is not looked through either."""
    gc.freeze()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The URL of a moto server."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    # Each request would be told, and kept for a test that fails.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # It loads what it is made of with its first request.
    boto3.client("dynamodb", region_name="us-east-1", endpoint_url=url).list_tables()
    gc.freeze()
    yield url
    server.stop()


@pytest.fixture
def task(moto_url: str) -> Task:
    """A task with KCL's tables, which hold nothing."""
    task = make_task(moto_url)
    fill(task, [])
    return task


@pytest.fixture(autouse=True, scope="session")
def credentials() -> Iterator[None]:
    """Credentials that open nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield
