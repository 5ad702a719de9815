"""What AWS is asked for to import an export into a new table, and waiting until it has.

The table is made by the import, as `prepare` would make it. What ImportTable does not take of that:
local secondary indexes, which make an import impossible, and the table class, which is set once the
table is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.clock import Clock
from kcl_processor.config.task import Side
from kcl_processor.errors import DestinationError
from kcl_processor.table.export import Export
from kcl_processor.table.export_job import POLL, Telling
from kcl_processor.table.prepare import await_active
from kcl_processor.table.table_definition import creation

# What ImportTable's TableCreationParameters take of a CreateTable request.
_IMPORTABLE = (
    "TableName",
    "KeySchema",
    "AttributeDefinitions",
    "BillingMode",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "GlobalSecondaryIndexes",
)
_HINT = "look at the imports of DynamoDB in the console, then try again"


@dataclass(frozen=True)
class Imported:
    """What an import came to, as DynamoDB counts it.

    Attributes:
        table_id: of the table that it has made, as DescribeTable has it, too (API reference,
            ImportTableDescription); empty where the service gives none.
    """

    items: int
    errors: int
    table_id: str = ""


class ImportFailed(DestinationError):
    """An import has ended, and its table is not whole."""


def importable(request: dict[str, Any]) -> dict[str, Any]:
    """What ImportTable takes of a CreateTable request."""
    return {name: request[name] for name in _IMPORTABLE if name in request}


def request_import(side: Side, source: dict[str, Any], export: Export, token: str) -> str:
    """Ask for an import into a new table like the source; its ARN.

    Args:
        source: as DescribeTable tells it.
        token: the same one is the same import, for eight hours.

    Raises:
        DestinationError, PermissionDenied: it is refused; as where there is such a table.
    """
    with _calling("ImportTable", side):
        found = clients.tables(side).import_table(
            ClientToken=token,
            S3BucketSource={"S3Bucket": export.bucket, "S3KeyPrefix": f"{export.folder}data/"},
            InputFormat="DYNAMODB_JSON",
            InputCompressionType="GZIP",
            TableCreationParameters=importable(creation(source, side.table)),
        )
    return str(found["ImportTableDescription"]["ImportArn"])


def find_import(side: Side, table_arn: str, token: str) -> str | None:
    """The ARN of the import that was asked for by a token, however long ago; ``None`` if none is
    listed.

    Args:
        table_arn: of the table that it has made, or makes.

    Raises:
        DestinationError, PermissionDenied: the imports cannot be looked at.
    """
    client = clients.tables(side)
    asked: dict[str, Any] = {"TableArn": table_arn}
    while True:
        with _calling("ListImports", side):
            found = client.list_imports(**asked)
        for one in found["ImportSummaryList"]:
            with _calling("DescribeImport", side):
                job = client.describe_import(ImportArn=one["ImportArn"])["ImportTableDescription"]
            if job.get("ClientToken") == token:
                return str(one["ImportArn"])
        if "NextToken" not in found:
            return None
        asked["NextToken"] = found["NextToken"]


def await_import(
    side: Side,
    arn: str,
    tell: Callable[[str], None],
    clock: Clock,
    wait: Callable[[float], None],
) -> Imported:
    """Wait until an import has ended.

    Args:
        tell: takes a line about once a minute.
        wait: waits for some seconds; what it raises ends the waiting, and not the import.

    Raises:
        ImportFailed: it failed or was cancelled.
        DestinationError, PermissionDenied: it cannot be looked at.
    """
    telling = Telling(tell, clock)
    while True:
        with _calling("DescribeImport", side):
            answer = clients.tables(side).describe_import(ImportArn=arn)
        found = answer["ImportTableDescription"]
        status = found["ImportStatus"]
        if status == "COMPLETED":
            return Imported(
                found.get("ImportedItemCount", 0),
                found.get("ErrorCount", 0),
                found.get("TableId", ""),
            )
        if status in ("FAILED", "CANCELLED"):
            raise ImportFailed(
                f"The import {arn} is {status}: {found.get('FailureCode')}: "
                f"{found.get('FailureMessage')}; {found.get('ErrorCount', 0)} items failed. The "
                f"table {side} may hold a part of the items.",
                f"aws dynamodb delete-table {side.aws_options}",
            )
        telling(f"The import into {side} is {status}")
        wait(POLL)


def finish_table(
    side: Side, source: dict[str, Any], clock: Clock, wait: Callable[[float], None]
) -> None:
    """Wait until an imported table can be written to, and give it what the import could not.

    Raises:
        DestinationError, PermissionDenied: it cannot be had so.
    """
    await_active(side, DestinationError, clock, wait)
    kind = creation(source, side.table).get("TableClass")
    if kind is None:
        return
    with _calling("UpdateTable", side):
        clients.tables(side).update_table(TableName=side.table, TableClass=kind)
    await_active(side, DestinationError, clock, wait)


def _calling(action: str, side: Side) -> Any:
    return clients.calling(f"dynamodb:{action}", f"table {side}", DestinationError, _HINT)
