"""A task: the names it gets, and what could not work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.config.access import Access, Role
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import (
    COORDINATOR_SUFFIX,
    WORKERS_SUFFIX,
    Side,
    Task,
    check_task,
    default_task_name,
    default_worker_id,
    with_worker,
)
from kcl_processor.errors import ConfigError
from tests.kcl_tables import make_task
from tests.spelled import spelled


def test_a_task_without_a_name_gets_the_originals() -> None:
    """The default name is the MD5 of regions and tables, as an existing checkpoint table has it."""
    name = default_task_name(Side("us-east-1", "orders"), Side("us-west-2", "copy"))
    assert name == "6e282808c88e8535e3722d6e1baedc8c"


def test_a_host_keeps_its_workers_name() -> None:
    """A worker that comes back under its old name takes its leases back at once."""
    name = default_worker_id()
    assert name and name == default_worker_id()
    assert with_worker(make_task(), name, "this host").kcl.worker_id == name


def named(application: str) -> Task:
    """A task with a checkpoint table of this name."""
    task = make_task()
    return replace(task, kcl=replace(task.kcl, application_name=application))


@pytest.mark.parametrize("application", ["abc", "a" * 237, "App_1.2-x"])
def test_a_checkpoint_table_with_room_for_kcls_suffixes_is_taken(application: str) -> None:
    """255 characters less the longest that KCL appends."""
    task = named(application)
    assert check_task(task, "here") is task


@pytest.mark.parametrize("application", ["", "ab", "a" * 238, "a b", "ä" * 5])
def test_a_checkpoint_table_that_could_not_be_made_is_refused(application: str) -> None:
    """By the place that it was named at."""
    with pytest.raises(ConfigError, match=r"^here: the checkpoint table"):
        check_task(named(application), "here")


@pytest.mark.parametrize(
    "names",
    [
        {"workerMetricsTableName": "same", "coordinatorStateTableName": "same"},
        {"coordinatorStateTableName": "app"},
        {"workerMetricsTableName": "app-CoordinatorState"},
    ],
)
def test_kcls_tables_are_three(names: dict[str, str]) -> None:
    """Each has a key of its own; one that is made for another is in the way of every start."""
    task = make_task(properties=names)
    task = replace(task, kcl=replace(task.kcl, application_name="app"))
    with pytest.raises(ConfigError, match="two of KCL's tables"):
        check_task(task, "here")


def test_one_table_under_two_roles_may_be_two_tables() -> None:
    """The account cannot be told from here, but a role may lead to another one."""
    task = make_task()
    same = replace(task, destination=Side("us-east-1", task.source.table, task.source.endpoint))
    with pytest.raises(ConfigError, match="same table"):
        check_task(same, "here")
    role = "arn:aws:iam::444455556666:role/writer"
    apart = replace(same, destination=replace(same.destination, access=Access(roles=(Role(role),))))
    assert check_task(apart, "here") is apart


@pytest.mark.parametrize("name", ["../up", "..", "a/b", "*", "a b", "-c", ".", "", "a\n", "é"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    """Whatever the checkpoint table is called: a task's files lie under its name."""
    with pytest.raises(ConfigError, match=r"FILE: .* cannot be a task's name"):
        check_task(replace(make_task(), name=name), "FILE")
    with pytest.raises(ConfigError, match=r"--workerId: .* cannot be a worker id"):
        with_worker(make_task(), name, "--workerId")


@given(st.text(min_size=1, max_size=12))
def test_a_tasks_files_lie_in_the_state_directory(name: str) -> None:
    """Whatever name is let through, its files are there, and no glob finds another task's."""
    try:
        task = with_worker(check_task(replace(make_task(), name=name), "FILE"), name, "FILE")
    except ConfigError:
        return
    state = Path("/state")
    for path in (TaskFiles(task, state).gaps, TaskFiles(task, state).saved_leases(0.0)):
        assert path.parent == state and path.name.startswith(f"{name}.")
        assert not set("*?[ /") & set(path.name)


@pytest.mark.parametrize("worker", ["host-1", "10.0.0.7:5d1c0b2e", "_w"])
def test_a_worker_id_may_be_what_kcl_makes_of_a_host(worker: str) -> None:
    """KCL's own are a host's name or address, a colon and a UUID."""
    assert with_worker(make_task(), worker, "--workerId").kcl.worker_id == worker


def test_kcls_suffixes_are_spelled_once() -> None:
    """What is refused as too long is what would be made."""
    assert spelled({COORDINATOR_SUFFIX, WORKERS_SUFFIX}) == {"config/task"}
