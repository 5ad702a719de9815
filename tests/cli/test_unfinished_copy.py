"""A copy that is not whole, or no longer true, is named by every command that would build on it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kcl_processor.aws import clients
from kcl_processor.clock import utc
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode
from kcl_processor.launch.copy_mark import CopyMark, CopyState, replace_mark
from tests.cli.ask import Ask
from tests.kcl_tables import fill, rows_in

HOUR = 3600.0


def leave_a_mark(task: Task, state: CopyState, hours: float) -> None:
    """As a copy on some host does that began some hours ago."""
    fill(task, [])
    then = time.time() - hours * HOUR
    begun = CopyMark.begun("token", then, then, forced=False)
    assert replace_mark(task, None, begun.now(state, then))


@pytest.mark.parametrize("command", ["run", "start --yes", "doctor"])
@pytest.mark.parametrize(
    ("state", "hours", "says", "hint", "code"),
    [
        (CopyState.BEGUN, 1, "is not finished", "kcl-processor copy", ExitCode.CONFIG),
        (CopyState.DISTURBED, 1, "was disturbed", "copy --restart --no-to-", ExitCode.CONFIG),
        (CopyState.DONE, 48, "began 48.0 h ago", "copy --restart --no-to-", ExitCode.GAP),
    ],
)
def test_no_daemon_starts_over_a_copy_that_is_not_whole(
    ask: Ask,
    file: Path,
    command: str,
    state: CopyState,
    hours: float,
    says: str,
    hint: str,
    code: ExitCode,
) -> None:
    """Cut off, disturbed or too old: each is named, with what to type."""
    leave_a_mark(load_tasks(file)[0], state, hours)
    asked = ask(*command.split())
    assert asked.code == (ExitCode.CRASH if command == "doctor" else code)
    assert says in asked.out + asked.err and hint in asked.out + asked.err


def put(task: Task, *keys: str) -> None:
    """Put items at the source."""
    for key in keys:
        clients.tables(task.source).put_item(TableName=task.source.table, Item={"pk": {"S": key}})


def make_destination_anew(task: Task) -> None:
    """Delete the destination and create it again; its ARN is the same."""
    client, name = clients.tables(task.destination), task.destination.table
    client.delete_table(TableName=name)
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_a_destination_that_was_made_anew_is_filled_by_what_the_refusal_says(
    ask: Ask, file: Path
) -> None:
    """Neither start nor copy takes the empty table for a full one; the hint, typed, fills it."""
    (task,) = load_tasks(file)
    put(task, "a", "b", "c")
    first = ask("copy")
    assert first.code == ExitCode.OK, first.err
    assert "Next: kcl-processor run" in first.err
    again = ask("copy")
    assert again.code == ExitCode.OK and "nothing is copied" in again.err
    make_destination_anew(task)
    for command in ("copy", "start --yes", "run", "doctor"):
        refused = ask(*command.split())
        assert refused.code in (ExitCode.CONFIG, ExitCode.CRASH)
        said = refused.out + refused.err
        assert "made anew" in said or "is not the one that this copy began with" in said
        assert f"kcl-processor copy --restart {task.name}" in said
    cured = ask("copy", "--restart", task.name)
    assert cured.code == ExitCode.OK, cured.err
    client = clients.tables(task.destination)
    assert len(rows_in(client, task.destination.table)) == 3


def test_a_copy_says_until_when_a_start_would_follow_it(ask: Ask, file: Path) -> None:
    """At that time one is refused: the first changes are about to leave the stream."""
    put(load_tasks(file)[0], "a")
    times = [time.time()]
    done = ask("copy")
    times.append(time.time())
    told = [utc(then + 23 * HOUR, "minutes") for then in times]
    assert any(f", before {moment}: " in done.err for moment in told), done.err


def test_a_copy_into_a_table_with_items_says_how_to_clear_it(ask: Ask, file: Path) -> None:
    """What the source does not hold stays until it is deleted."""
    (task,) = load_tasks(file)
    put(task, "a")
    client = clients.tables(task.destination)
    client.put_item(TableName=task.destination.table, Item={"pk": {"S": "extra"}})
    assert ask("copy").code == ExitCode.DESTINATION
    started = ask("start", "--copy-first", "--yes", "--no-to-empty-only", "--java", "/nowhere")
    assert started.code != ExitCode.OK
    assert f"Then: kcl-processor verify {task.name} --repair --delete-extra" in started.err
    done = ask("copy", "--restart", "--no-to-empty-only")
    assert done.code == ExitCode.OK, done.err
    assert f"Then: kcl-processor verify {task.name} --repair --delete-extra" in done.err
