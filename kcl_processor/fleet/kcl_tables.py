"""KCL's three tables of a task, made before the daemon starts.

KCL makes them itself, one after the other, and adds the lease table's index last: on AWS an index
added to a table takes minutes, in which a daemon runs and reads nothing. Made here, all three come
into being at once, the index with its table.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError

# DynamoDBLeaseRefresher and DynamoDBLeaseSerializer of KCL 3.1.3.
LEASE_INDEX = "LeaseOwnerToLeaseKeyIndex"

_HINT = "check kcl.region and kcl.endpoint, and the table in the AWS console"


@dataclass(frozen=True)
class TableNames:
    """The names of a task's tables (``CoordinatorStateTableConfig`` and its neighbours)."""

    leases: str
    coordinator: str
    workers: str


def table_names(task: Task) -> TableNames:
    """The tables' names: after the application, unless a KCL property names one."""
    application, properties = task.kcl.application_name, task.kcl.properties
    return TableNames(
        leases=application,
        coordinator=properties.get("coordinatorStateTableName", f"{application}-CoordinatorState"),
        workers=properties.get("workerMetricsTableName", f"{application}-WorkerMetricStats"),
    )


def make_kcl_tables(task: Task) -> None:
    """Make those tables that are missing, on demand, and wait until they are there.

    A table whose shape a KCL property sets (billing, capacity, tags, recovery, protection) is left
    for KCL to make.

    Raises:
        PermissionDenied: creating or describing a table is denied.
        OperatorError: a table does not come into being.
    """
    client = clients.checkpoints(task)
    names = table_names(task)
    wanted = {
        names.leases: ("LeaseTable", _lease_table(names.leases)),
        names.coordinator: ("coordinatorState", _hash_table(names.coordinator, "key")),
        names.workers: ("workerMetrics", _hash_table(names.workers, "wid")),
    }
    made = [
        name
        for name, (prefix, definition) in wanted.items()
        if not _shaped(task, prefix) and _make(client, definition)
    ]
    for name in made:
        with _calling("dynamodb:DescribeTable", name):
            client.get_waiter("table_exists").wait(
                TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )


def _shaped(task: Task, prefix: str) -> bool:
    return any(
        prefix.lower() in name.lower() and not name.endswith("TableName")
        for name in task.kcl.properties
    )


def _make(client: Any, definition: dict[str, Any]) -> bool:
    name = definition["TableName"]
    if clients.described(client, name, OperatorError, _HINT):
        return False
    # Another worker of the fleet may be faster.
    in_use = client.exceptions.ResourceInUseException
    with _calling("dynamodb:CreateTable", name), suppress(in_use):
        client.create_table(BillingMode="PAY_PER_REQUEST", **definition)
    return True


def _calling(action: str, name: str) -> Any:
    return clients.calling(action, f"KCL's table {name}", OperatorError, _HINT)


def _hash_table(name: str, key: str) -> dict[str, Any]:
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
    }


def _lease_table(name: str) -> dict[str, Any]:
    table = _hash_table(name, "leaseKey")
    table["AttributeDefinitions"] += [{"AttributeName": "leaseOwner", "AttributeType": "S"}]
    table["GlobalSecondaryIndexes"] = [
        {
            "IndexName": LEASE_INDEX,
            "KeySchema": [
                {"AttributeName": "leaseOwner", "KeyType": "HASH"},
                {"AttributeName": "leaseKey", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ]
    return table
