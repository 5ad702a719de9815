"""What an export takes: recovery that is on, one request, and patience."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from kcl_processor.config.task import Source
from kcl_processor.errors import SourceError
from kcl_processor.table.export_job import (
    ExportRequest,
    await_export,
    failure_of,
    has_recovery,
    request_export,
    turn_recovery_on,
)
from tests.edges import Reply, serving
from tests.fakes import HandClock
from tests.kcl_tables import make_source_and_destination, make_task
from tests.table.managed_aws import ManagedAws


class World(NamedTuple):
    aws: ManagedAws
    source: Source
    arn: str


@pytest.fixture
def world(moto_url: str) -> Iterator[World]:
    aws = ManagedAws(moto_url)
    with aws.serving() as edge:
        task = make_task(moto_url)
        client = make_source_and_destination(task)
        described = client.describe_table(TableName=task.source.table)["Table"]
        yield World(aws, replace(task.source, endpoint=edge.url), described["TableArn"])


def test_an_export_is_asked_for_once_recovery_is_ready(world: World) -> None:
    """There is no moment to export yet, just after it was turned on."""
    aws, source, arn = world
    clock = HandClock()
    request = ExportRequest(f"b-{source.table}", "there", "token")

    def wait(seconds: float) -> None:
        clock.turn(seconds)
        if clock.elapsed() > 1060:
            turn_recovery_on(source, clock, clock.turn)

    assert not has_recovery(source)
    export = request_export(source, arn, request, clock, wait)
    assert has_recovery(source)
    assert request_export(source, arn, request, clock, wait) == export
    assert len(aws.jobs) == 1


def test_patience_with_recovery_ends(world: World) -> None:
    """After a quarter of an hour it is told what AWS says."""
    _, source, arn = world
    clock = HandClock()
    with pytest.raises(SourceError, match="PointInTimeRecoveryUnavailableException"):
        request_export(source, arn, ExportRequest("b", "", "token"), clock, clock.turn)
    assert 1900 <= clock.elapsed() < 2000


def test_a_wait_is_told_about_once_a_minute(world: World) -> None:
    """With what is waited for, and for how long; one that is not known is told as such."""
    aws, source, arn = world
    clock, told = HandClock(), list[str]()
    turn_recovery_on(source, clock, clock.turn)
    aws.looks = 20
    request = ExportRequest(f"b-{source.table}", "there", "token")
    export = request_export(source, arn, request, clock, clock.turn)
    url = await_export(source, export, told.append, clock, clock.turn)
    assert url and url.startswith(f"s3://b-{source.table}/there/AWSDynamoDB/")
    assert told == [
        f"The export of {source} is IN_PROGRESS, for {minutes} min." for minutes in (1, 2, 3)
    ]
    assert await_export(source, f"{arn}/export/none", told.append, clock, clock.turn) is None


def test_an_export_that_is_not_seen_yet_is_waited_for(world: World) -> None:
    """It may have been asked for a second ago, and another one costs money."""
    aws, source, arn = world
    clock = HandClock()
    turn_recovery_on(source, clock, clock.turn)
    request = ExportRequest(f"b-{source.table}", "there", "token")
    export = request_export(source, arn, request, clock, clock.turn)
    aws.unseen = 3
    assert await_export(source, export, lambda _: None, clock, clock.turn)
    aws.unseen = 3
    assert failure_of(source, export, clock, clock.turn) is None


def test_a_span_is_asked_for_as_such(world: World) -> None:
    """By the second, the newest images alone."""
    aws, source, arn = world
    clock = HandClock()
    turn_recovery_on(source, clock, clock.turn)
    request = ExportRequest(f"b-{source.table}", "there", "token", (5000.0, 7000.0))
    request_export(source, arn, request, clock, clock.turn)
    asked: dict[str, Any] = aws.requests[-1]
    assert asked["ExportType"] == "INCREMENTAL_EXPORT"
    assert asked["IncrementalExportSpecification"] == {
        "ExportFromTime": 5000,
        "ExportToTime": 7000,
        "ExportViewType": "NEW_IMAGE",
    }


def test_a_store_that_knows_no_recovery_has_none(moto_url: str) -> None:
    """Some stores that speak DynamoDB's protocol do not know the question."""
    code = "com.amazon.coral.service#UnknownOperationException"
    with serving(lambda _: Reply.of({"__type": code}, 400)) as edge:
        source = replace(make_task(moto_url).source, endpoint=edge.url)
        assert not has_recovery(source)


def test_an_export_that_failed_or_is_gone_is_told_from_others(world: World) -> None:
    """Its token is of no more use."""
    aws, source, arn = world
    clock = HandClock()
    turn_recovery_on(source, clock, clock.turn)
    aws.looks = 1
    aws.fail["ExportTableToPointInTime"] = "S3NoSuchBucket"
    export = request_export(
        source, arn, ExportRequest(f"b-{source.table}", "", "token"), clock, clock.turn
    )
    assert [failure_of(source, export, clock, clock.turn) for _ in range(2)] == [
        None,
        "S3NoSuchBucket: as told",
    ]
    assert failure_of(source, f"{arn}/export/none", clock, clock.turn) == "it is gone"
