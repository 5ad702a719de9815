"""KCL's three tables of a task, made before the daemon starts.

KCL makes them itself, one after the other, and adds the lease table's index last: on AWS an index
added to a table takes minutes, in which a daemon runs and reads nothing. Made here, all three come
into being at once, the index with its table.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.errors import ConfigError, OperatorError

# DynamoDBLeaseRefresher and DynamoDBLeaseSerializer of KCL 3.1.3.
LEASE_INDEX = "LeaseOwnerToLeaseKeyIndex"
# The hash key of each of KCL's tables, which have no other.
KEYS = MappingProxyType({"leases": "leaseKey", "coordinator": "key", "workers": "wid"})

# KCL's own, for the lease table; for the others it has none, and asks for 0.
_CAPACITY = "10"
_HINT = "check kcl.region and kcl.endpoint, and the table in the AWS console"


@dataclass(frozen=True)
class TableNames:
    """The names of a task's tables (``CoordinatorStateTableConfig`` and its neighbours)."""

    leases: str
    coordinator: str
    workers: str


def table_names(task: Task) -> TableNames:
    """The tables' names: after the application, unless a KCL property names one."""
    return TableNames(
        leases=task.kcl.application_name,
        coordinator=task.kcl.table("coordinatorStateTableName"),
        workers=task.kcl.table("workerMetricsTableName"),
    )


def make_kcl_tables(task: Task) -> None:
    """Make those tables that are missing, on demand, and wait until they are there.

    A lease table whose shape a KCL property sets (capacity, recovery, protection) is left for KCL
    to make. The coordinator's cannot be: a start writes its claim there before KCL runs.

    Raises:
        ConfigError: a table of such a name is none of KCL's.
        PermissionDenied: creating or describing a table is denied.
        OperatorError: a table does not come into being.
    """
    client = clients.checkpoints(task)
    names, missing = table_names(task), refuse_other_tables(task)
    wanted = {
        names.leases: _lease_table(names.leases),
        names.coordinator: _hash_table(names.coordinator, KEYS["coordinator"])
        | _shape(task, "coordinatorState"),
        names.workers: _hash_table(names.workers, KEYS["workers"]) | _shape(task, "workerMetrics"),
    }
    made = [name for name in missing if name != names.leases or not _has_shape(task)]
    for name in made:
        _make(client, wanted[name])
    for name in made:
        with _calling("dynamodb:DescribeTable", name):
            client.get_waiter("table_exists").wait(
                TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )


def refuse_other_tables(task: Task) -> list[str]:
    """Make sure that the tables which are there are KCL's; the names of those that are not there.

    KCL would try a table with another key again and again, for a minute.

    Raises:
        ConfigError: one has another key.
        PermissionDenied, OperatorError: one cannot be described.
    """
    client, missing = clients.checkpoints(task), []
    for which, name in asdict(table_names(task)).items():
        described = clients.described(client, name, OperatorError, _HINT)
        if described is None:
            missing.append(name)
            continue
        key = " and ".join(key["AttributeName"] for key in described["KeySchema"])
        if key != KEYS[which]:
            raise ConfigError(
                f"The table {name} is none of KCL's: its key is {key}, and KCL's is {KEYS[which]}.",
                "give the task another name or kcl.application_name, under which there is no table",
            )
    return missing


def _has_shape(task: Task) -> bool:
    """Whether a property shapes the lease table."""
    return any("leasetable" in name.lower() for name in task.kcl.properties)


def _shape(task: Task, prefix: str) -> dict[str, Any]:
    """What KCL's properties of that prefix say of a table, as parameters of CreateTable.

    Recovery points are turned on by KCL, for a table that is there, too (``DdbUtil.pitrEnabler``).
    """
    given = task.kcl.properties
    shape: dict[str, Any] = {"BillingMode": given.get(f"{prefix}BillingMode", "PAY_PER_REQUEST")}
    if shape["BillingMode"] == "PROVISIONED":
        shape["ProvisionedThroughput"] = {
            f"{of}CapacityUnits": int(given.get(f"{prefix}{of}Capacity", _CAPACITY))
            for of in ("Read", "Write")
        }
    if given.get(f"{prefix}DeletionProtectionEnabled") == "true":
        shape["DeletionProtectionEnabled"] = True
    if tags := given.get(f"{prefix}Tags"):
        pairs = (tag.partition("=") for tag in tags.split(","))
        shape["Tags"] = [{"Key": key.strip(), "Value": value.strip()} for key, _, value in pairs]
    return shape


def _make(client: Any, definition: dict[str, Any]) -> None:
    # Another worker of the fleet may be faster.
    in_use = client.exceptions.ResourceInUseException
    with _calling("dynamodb:CreateTable", definition["TableName"]), suppress(in_use):
        client.create_table(**definition)


def _calling(action: str, name: str) -> Any:
    return clients.calling(action, f"KCL's table {name}", OperatorError, _HINT)


def _hash_table(name: str, key: str) -> dict[str, Any]:
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
    }


def _lease_table(name: str) -> dict[str, Any]:
    table = _hash_table(name, KEYS["leases"]) | {"BillingMode": "PAY_PER_REQUEST"}
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
