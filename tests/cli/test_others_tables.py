"""No command reads or changes checkpoints that are another replica's, or no checkpoints at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.fleet.kcl_tables import table_names
from kcl_processor.launch.identity import Identity, write_claim
from kcl_processor.launch.incarnation import Incarnation
from tests.cli.ask import Ask
from tests.kcl_tables import fill, rows_in, snapshot

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/"
ANOTHERS = Identity(
    Incarnation(ARN + "users", 1.0), f"{ARN}users/stream/1", Incarnation(ARN + "users-2", 2.0)
)
COMMANDS = (
    *("doctor", "copy", "run", "start --yes", "status", "health", "leases", "leases reset --yes"),
    *("leases restore FILE --yes", "leases unlock-leader --yes", "uninstall --yes", "replay"),
    "verify --repair",
)


def another_replicas(task: Task) -> str:
    fill(task, *snapshot("two-workers"))
    assert write_claim(task, None, ANOTHERS)
    return f"belongs to the replica {ANOTHERS}"


def another_streams(task: Task) -> str:
    fill(task, *snapshot("two-workers"))
    return "they belong to another stream"


def no_kcls(task: Task) -> str:
    clients.checkpoints(task).create_table(
        TableName=task.kcl.application_name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "is none of KCL's: its key is pk, and KCL's is leaseKey"


def contents(task: Task) -> dict[str, Any]:
    """Everything that KCL's tables hold."""
    client = clients.checkpoints(task)
    there = client.list_tables()["TableNames"]
    names = table_names(task)
    return {
        name: rows_in(client, name)
        for name in (names.leases, names.coordinator, names.workers)
        if name in there
    }


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("tables", [another_replicas, another_streams, no_kcls])
def test_what_is_not_the_tasks_own_is_left_alone(
    ask: Ask, file: Path, command: str, tables: Callable[[Task], str]
) -> None:
    """Each command says whose it is, and changes nothing, whatever it was told to do."""
    (task,) = load_tasks(file)
    says, before = tables(task), contents(task)
    asked = ask(*command.split())
    codes = {"doctor": ExitCode.CRASH, "status": ExitCode.UNKNOWN}
    assert asked.code == codes.get(command, ExitCode.CONFIG)
    assert says in asked.out + asked.err
    assert contents(task) == before
