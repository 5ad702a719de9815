"""What a side's service answers otherwise than AWS: other implementations of DynamoDB keep less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kcl_processor.config.task import Side
from kcl_processor.operate.check import Check, ok


def unlike_aws(side: Side, table: dict[str, Any]) -> Iterator[Check]:
    """What its own description of a table shows, and what that means here. None of it is in the
    way of a task.

    Args:
        table: as DescribeTable answers.
    """
    if side.endpoint is None:
        return
    # Alternator's ARN is of other parts, and names the keyspace there.
    region = (table["TableArn"].split(":") + [""] * 4)[3]
    if region != side.region:
        yield ok(
            f"the service names its region {region}, the task {side.region}: it may have the same "
            "tables in every region"
        )
    if not table.get("TableId"):
        yield ok(
            "the service gives its tables no id: one that was deleted and made anew is told by the "
            "moment of its creation"
        )
    if table.get("ItemCount") and not table.get("TableSizeBytes"):
        yield ok(
            "the service does not say how large the table is: what plan and size expect of it, and "
            "into how many segments it is cut, is not by its size"
        )
