"""Rows of this product's own in KCL's coordinator state table.

KCL reads its own keys there by name and passes over others (``CoordinatorStateDAO`` of KCL 3.1.3).
Several processes write them, so a row is replaced or removed only as it was read: each attribute of
it, and of one that has come since nothing is known. Where attributes come and go by themselves,
each is entered and struck out alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.fleet.leases import scan

# Attribute name to typed value, without the key.
Row = dict[str, dict[str, Any]]
_Item = Mapping[str, Mapping[str, Any]]

_KEY = "key"
_HINT = "check kcl.region and kcl.endpoint"


def read_own(task: Task, key: str) -> Row | None:
    """A row, read consistently; ``None`` when there is no such row, or no table yet.

    Raises:
        OperatorError, PermissionDenied: it cannot be read.
    """
    client, table = clients.checkpoints(task), table_names(task).coordinator
    with _calling("GetItem", table):
        try:
            found = client.get_item(TableName=table, Key={_KEY: {"S": key}}, ConsistentRead=True)
        except client.exceptions.ResourceNotFoundException:
            return None
    return _without_key(found.get("Item", {})) or None


def own_among(rows: Iterable[_Item], key: str) -> Row | None:
    """As :func:`read_own`, among rows of the whole table that were read already."""
    found = (row for row in rows if row.get(_KEY, {}).get("S") == key)
    return next(map(_without_key, found), None)


def read_all_own(task: Task) -> dict[str, Row]:
    """Every row of the table by its key, read consistently; none where there is no table yet.

    Raises:
        OperatorError, PermissionDenied: they cannot be read.
    """
    return by_key(scan(clients.checkpoints(task), table_names(task).coordinator) or [])


def by_key(items: Iterable[_Item]) -> dict[str, Row]:
    """Items of the table by their keys, as :func:`read_own` has each; one without a key is none."""
    return {item[_KEY]["S"]: _without_key(item) for item in items if _KEY in item}


def _without_key(item: _Item) -> Row:
    return {name: dict(value) for name, value in item.items() if name != _KEY}


def replace_own(task: Task, key: str, before: Row | None, after: Row | None) -> bool:
    """Replace a row that was read by another, or by none; whether it was still as it was read.

    A call whose answer was lost is repeated, and then finds what it wrote itself.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    client, table = clients.checkpoints(task), table_names(task).coordinator
    unchanged = _unchanged(before)
    with _calling("PutItem" if after else "DeleteItem", table):
        try:
            if after:
                client.put_item(TableName=table, Item={_KEY: {"S": key}, **after}, **unchanged)
            else:
                client.delete_item(TableName=table, Key={_KEY: {"S": key}}, **unchanged)
        except client.exceptions.ConditionalCheckFailedException:
            return bool(_by_value(read_own(task, key)) == _by_value(after))
    return True


def touch_own(task: Task, key: str, held: Row, name: str, value: dict[str, Any]) -> bool:
    """Set an attribute of a row that holds some others; whether it holds them.

    Who replaces the row as it was read without this attribute replaces it all the same.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    client, table = clients.checkpoints(task), table_names(task).coordinator
    condition = _unchanged(held)
    condition["ExpressionAttributeNames"] |= {"#name": name}
    condition["ExpressionAttributeValues"] |= {":value": value}
    with _calling("UpdateItem", table):
        try:
            client.update_item(
                TableName=table,
                Key={_KEY: {"S": key}},
                UpdateExpression="SET #name = :value",
                **condition,
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
    return True


def _by_value(value: Any) -> Any:
    """A row, or a value in one, with each number as what it is: the service writes it its own way.

    The name of an attribute may be ``N``, too; what it stands for is then no text.
    """
    match value:
        case {"N": str(number)}:
            return Decimal(number)
        case dict():
            return {name: _by_value(one) for name, one in value.items()}
        case list():
            return [_by_value(one) for one in value]
    return value


def enter_own(task: Task, key: str, name: str, value: dict[str, Any]) -> None:
    """Enter an attribute into a row that has none of that name, beside what others enter at once.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    change = "SET #name = if_not_exists(#name, :value)"
    _update(task, key, change, {"#name": name}, {":value": value})


def strike_own(task: Task, key: str, name: str) -> None:
    """Remove an attribute of a row, if it is there, and none that others enter at once.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    _update(task, key, "REMOVE #name", {"#name": name}, {})


def enter_over(task: Task, key: str, values: Row) -> None:
    """Enter attributes into a row over those of the same names, beside what others enter at once.

    Raises:
        OperatorError, PermissionDenied: it cannot be written.
    """
    changes = ", ".join(f"#{name} = :{name}" for name in values)
    names = {f"#{name}": name for name in values}
    _update(task, key, f"SET {changes}", names, {f":{name}": of for name, of in values.items()})


def drop_own(task: Task, key: str) -> None:
    """Remove a row, if it and the table are there, whatever is in it.

    Raises:
        OperatorError, PermissionDenied: it cannot be removed.
    """
    client, table = clients.checkpoints(task), table_names(task).coordinator
    with _calling("DeleteItem", table), suppress(client.exceptions.ResourceNotFoundException):
        client.delete_item(TableName=table, Key={_KEY: {"S": key}})


def _update(task: Task, key: str, change: str, names: dict[str, str], values: Row) -> None:
    client, table = clients.checkpoints(task), table_names(task).coordinator
    with _calling("UpdateItem", table):
        client.update_item(
            TableName=table,
            Key={_KEY: {"S": key}},
            UpdateExpression=change,
            ExpressionAttributeNames=names,
            **({"ExpressionAttributeValues": values} if values else {}),
        )


def _unchanged(before: Row | None) -> dict[str, Any]:
    if not before:
        return {
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": _KEY},
        }
    names = list(before)
    return {
        "ConditionExpression": " AND ".join(f"#a{at} = :a{at}" for at in range(len(names))),
        "ExpressionAttributeNames": {f"#a{at}": name for at, name in enumerate(names)},
        "ExpressionAttributeValues": {f":a{at}": before[name] for at, name in enumerate(names)},
    }


def _calling(call: str, table: str) -> Any:
    return clients.calling(f"dynamodb:{call}", f"table {table}", OperatorError, _HINT)
