"""What AWS is asked for to export a task's source to S3, and waiting until it has.

Each request carries a token of the caller's, who writes it down first: the same token is the same
export, for eight hours (API reference, ExportTableToPointInTime), so that a run that is killed asks
for no second one.
"""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.aws.codes import UNKNOWN_OPERATION, code_of
from kcl_processor.clock import Clock
from kcl_processor.config.task import Side, Source
from kcl_processor.errors import DestinationError, PermissionDenied, SourceError
from kcl_processor.table.export import INCREMENTAL, Export

_log = logging.getLogger(__name__)

# Seconds between two looks at a job, and between two words about it.
POLL = 10.0
_TELL = 60.0
# Just after recovery was turned on there is no moment to export yet; there is within minutes.
_UNREADY = ("PointInTimeRecoveryUnavailableException", "InvalidExportTimeException")
_PATIENCE = 900.0
# Within these of the first look an export that is not there may just have been asked for; to ask
# for another costs money.
_APPEARS = 60.0
_NOT_FOUND = "ExportNotFoundException"
_HINT = "look at the table's exports in the console, then try again"


class ExportFailed(SourceError):
    """AWS has not come to the end of an export: another is to be asked for, by another token."""


@dataclass(frozen=True)
class ExportRequest:
    """An export that is asked for.

    Attributes:
        bucket, prefix: where it is to lie.
        token: the caller's, for this export alone.
        span: of one of what changed: from when, and until when, seconds since the epoch.
        old: with the images before the span, too.
    """

    bucket: str
    prefix: str
    token: str
    span: tuple[float, float] | None = None
    old: bool = False


def has_recovery(side: Side) -> bool:
    """Whether point-in-time recovery of a side's table is on.

    Raises:
        SourceError, PermissionDenied: that cannot be asked.
    """
    return recovery_of(side) is not None


def recovery_of(side: Side) -> tuple[float, float] | None:
    """The oldest and the newest moment that a side can be exported of, seconds since the epoch;
    ``None`` where point-in-time recovery is off, or unknown to the store.

    Raises:
        SourceError, PermissionDenied: that cannot be asked.
    """
    with _calling("DescribeContinuousBackups", side):
        client = clients.tables(side)
        try:
            described = clients.recovery(client, side.table)
        except client.exceptions.ClientError as error:
            if code_of(error.response) != UNKNOWN_OPERATION:
                raise
            return None
    if described is None:
        return None
    oldest = described.get("EarliestRestorableDateTime")
    newest = described.get("LatestRestorableDateTime")
    return (oldest.timestamp() if oldest else 0.0, newest.timestamp() if newest else 0.0)


def turn_recovery_on(side: Side, clock: Clock, wait: Callable[[float], None]) -> None:
    """Turn point-in-time recovery of a side's table on, and wait until it is.

    Raises:
        SourceError, PermissionDenied: it does not come on.
    """
    with _calling("UpdateContinuousBackups", side):
        clients.tables(side).update_continuous_backups(
            TableName=side.table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    until = clock.elapsed() + _PATIENCE
    while not has_recovery(side):
        if clock.elapsed() > until:
            raise SourceError(f"Point-in-time recovery of {side} does not come on.", _HINT)
        wait(POLL)


def request_export(
    side: Side,
    table_arn: str,
    request: ExportRequest,
    clock: Clock,
    wait: Callable[[float], None],
) -> str:
    """Ask for an export, of now or of a span; its ARN.

    Raises:
        SourceError, PermissionDenied: it is refused.
    """
    parameters: dict[str, Any] = {
        "TableArn": table_arn,
        "S3Bucket": request.bucket,
        "ExportFormat": "DYNAMODB_JSON",
        "ClientToken": request.token,
        **({"S3Prefix": request.prefix} if request.prefix else {}),
    }
    if request.span:
        since, until = (datetime.fromtimestamp(moment, UTC) for moment in request.span)
        parameters |= {
            "ExportType": INCREMENTAL,
            "IncrementalExportSpecification": {
                "ExportFromTime": since,
                "ExportToTime": until,
                "ExportViewType": "NEW_AND_OLD_IMAGES" if request.old else "NEW_IMAGE",
            },
        }
    client = clients.tables(side)
    deadline = clock.elapsed() + _PATIENCE
    while True:
        with _calling("ExportTableToPointInTime", side):
            try:
                found = client.export_table_to_point_in_time(**parameters)
            except client.exceptions.ClientError as error:
                if code_of(error.response) not in _UNREADY or clock.elapsed() > deadline:
                    raise
                wait(POLL)
            else:
                return str(found["ExportDescription"]["ExportArn"])


def await_export(
    side: Side,
    arn: str,
    tell: Callable[[str], None],
    clock: Clock,
    wait: Callable[[float], None],
) -> str | None:
    """Wait until an export has ended; the URL of its folder. ``None`` if there is no such one.

    Args:
        tell: takes a line about once a minute.

    Raises:
        ExportFailed: it has.
        SourceError, PermissionDenied: it cannot be looked at.
    """
    telling = Telling(tell, clock)
    while True:
        found = _described(side, arn, clock, wait)
        if found is None:
            return None
        if found["ExportStatus"] == "COMPLETED":
            folder = posixpath.dirname(found["ExportManifest"])
            return f"s3://{found['S3Bucket']}/{folder}/"
        if failure := _failure(found):
            raise ExportFailed(
                f"The export {arn} failed: {failure}.",
                "mend the cause, then again: another export is asked for",
            )
        telling(f"The export of {side} is {found['ExportStatus']}")
        wait(POLL)


def failure_of(side: Side, arn: str, clock: Clock, wait: Callable[[float], None]) -> str | None:
    """Why an export has failed, or that it is gone: it must be asked for by another token.

    Raises:
        SourceError, DestinationError, PermissionDenied: it cannot be looked at.
    """
    found = _described(side, arn, clock, wait)
    return _failure(found) if found else "it is gone"


def _described(
    side: Side, arn: str, clock: Clock, wait: Callable[[float], None]
) -> dict[str, Any] | None:
    """An export; ``None`` if there is none, and none appears that was asked for just now."""
    client, began = clients.tables(side), clock.elapsed()
    while True:
        with _calling("DescribeExport", side):
            try:
                found: dict[str, Any] = client.describe_export(ExportArn=arn)["ExportDescription"]
            except client.exceptions.ExportNotFoundException:
                if clock.elapsed() - began >= _APPEARS:
                    return None
            else:
                return found
        wait(POLL)


def _failure(described: dict[str, Any]) -> str | None:
    if described["ExportStatus"] != "FAILED":
        return None
    return f"{described.get('FailureCode')}: {described.get('FailureMessage')}"


def refuse_filtered(source: Source, export: Export) -> None:
    """Refuse an export that holds a part of the table's items, or of their attributes.

    Its manifests do not say so; whoever made it was told. Where that cannot be asked for any more,
    or not by these credentials, an export is taken for whole.

    Raises:
        SourceError: it was made with a filter.
    """
    client = clients.tables(source)
    try:
        with _calling("DescribeExport", source):
            try:
                found = client.describe_export(ExportArn=export.arn)["ExportDescription"]
            except client.exceptions.ClientError as error:
                if code_of(error.response) not in (_NOT_FOUND, UNKNOWN_OPERATION):
                    raise
                return
    except PermissionDenied as denied:
        _log.warning("Whether the export %s is filtered is not known: %s", export.arn, denied)
        return
    if found.get("FilterSpecification"):
        raise SourceError(
            f"The export {export.url} was made with a filter: it does not hold the whole table.",
            "export the table again, without a filter specification",
        )


class Telling:
    """Says about once a minute what is waited for, and for how long."""

    def __init__(self, tell: Callable[[str], None], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._began = self._told_at = clock.elapsed()

    def __call__(self, what: str) -> None:
        now = self._clock.elapsed()
        if now - self._told_at >= _TELL:
            self._told_at = now
            self._tell(f"{what}, for {(now - self._began) / 60:.0f} min.")


def _calling(action: str, side: Side) -> Any:
    error = SourceError if isinstance(side, Source) else DestinationError
    return clients.calling(f"dynamodb:{action}", f"table {side}", error, _HINT)
