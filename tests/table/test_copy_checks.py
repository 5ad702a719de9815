"""What must be true before a copy starts or goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, DestinationError
from kcl_processor.launch.identity import Identity
from kcl_processor.launch.incarnation import Incarnation
from kcl_processor.table.copy_checks import (
    await_stream,
    refuse_items,
    refuse_other,
    refuse_slow,
)
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.estimate import estimate
from tests.kcl_tables import make_source_and_destination, make_task


def test_twenty_hours_are_refused_with_what_to_change() -> None:
    """The message names the side that decides and by how much."""
    items = 1_000_000
    refuse_slow(estimate(items, items * 1024, 1000, items / (19.9 * 3600)))
    with pytest.raises(ConfigError, match=r"40\.0 h.*write capacity") as refused:
        refuse_slow(estimate(items, items * 1024, 1000, items / (40 * 3600)))
    assert "2.0 times" in refused.value.hint


@pytest.fixture
def tables(moto_url: str) -> Task:
    """A task whose source, with a stream, and destination are there."""
    task = make_task(moto_url)
    make_source_and_destination(task)
    return task


def test_a_destination_with_an_item_is_refused(tables: Task) -> None:
    """A copy would write over it; an empty one is taken."""
    refuse_items(tables)
    item = {"pk": {"S": "a"}}
    client = clients.tables(tables.destination)
    client.put_item(TableName=tables.destination.table, Item=item)
    with pytest.raises(DestinationError, match="holds items") as refused:
        refuse_items(tables)
    assert "--no-to-empty-only" in refused.value.hint


def test_a_stream_that_was_just_turned_on_is_given_time(tables: Task) -> None:
    """Five seconds from its creation: a scan may miss what was written a second before it."""
    table = clients.tables(tables.source).describe_table(TableName=tables.source.table)["Table"]
    arn = table["LatestStreamArn"]
    described = clients.streams(tables.source).describe_stream(StreamArn=arn)["StreamDescription"]
    created = described["CreationRequestDateTime"].timestamp()
    waited: list[float] = []
    await_stream(tables.source, arn, created + 60, waited.append)
    assert waited == []
    await_stream(tables.source, arn, created + 2, waited.append)
    assert waited == [pytest.approx(3)]


def test_a_copy_of_other_tables_is_not_gone_on_with() -> None:
    """A source, a destination or a stream that was made anew is named."""
    task, arn = make_task(), "arn:aws:dynamodb:us-east-1:123456789012:table/"
    ours = Identity(Incarnation(arn + "s", 1.0), "stream", Incarnation(arn + "d", 2.0))
    progress = CopyProgress(str(ours.source), str(ours.destination), "stream", 60, 6000, 0.0, [])
    refuse_other(task, progress, ours)
    for found, says in (
        (replace(ours, source=replace(ours.source, created=3.0)), f"source table {task.source}"),
        (
            replace(ours, destination=replace(ours.destination, created=3.0)),
            f"destination table {task.destination}",
        ),
        (replace(ours, stream="stream2"), f"stream of {task.source}"),
        (replace(ours, rules="digest"), f"rules of task {task.name}"),
    ):
        with pytest.raises(ConfigError, match=says) as refused:
            refuse_other(task, progress, found)
        assert "copy --restart" in refused.value.hint and task.name in refused.value.hint
