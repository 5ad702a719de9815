"""A task whose destination is a table of moto, rendered as the daemon reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.render import render
from kcl_processor.config.task import Kcl, Metrics, Side, Source, Task


def rendered(endpoint: str, folder: Path) -> str:
    """The task's properties; its files lie in the folder."""
    task = Task(
        name="child",
        source=Source("us-east-1", "source"),
        destination=Side("us-east-1", "child", endpoint),
        kcl=Kcl("us-east-1", None, "application", "worker-1"),
        metrics=Metrics(publish=False),
    )
    return render(TaskFiles(task, folder / "state"), "arn", folder / "child.properties", "a test")


@contextmanager
def properties_for(url: str, folder: Path) -> Iterator[Path]:
    """The task's file, while its table is there."""
    with table_of(url):
        path = folder / "child.properties"
        path.write_text(rendered(url, folder), encoding="iso-8859-1")
        yield path


@contextmanager
def table_of(url: str) -> Iterator[None]:
    """The destination."""
    client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=url)
    client.create_table(
        TableName="child",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield
    client.delete_table(TableName="child")
