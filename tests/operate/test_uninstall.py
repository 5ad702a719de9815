"""What belongs to a task: all of it, and nothing that belongs to another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from kcl_processor.config.paths import RENDERED, TaskFiles, half_written
from kcl_processor.config.render import render
from kcl_processor.config.task import Task
from kcl_processor.errors import OperatorError
from kcl_processor.fleet import lease_changes
from kcl_processor.operate.dashboard import alarms
from kcl_processor.operate.lag_history import LagHistory, Reading
from kcl_processor.operate.uninstall import FILE, Belonging, belongings, delete
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.replicate.refusals import DeadLetters, Origin
from kcl_processor.state.dead_letters import LetterFile
from kcl_processor.state.durable import replace_file
from kcl_processor.state.gaps import Gap, note_gap, settle_gap
from kcl_processor.state.heartbeat import write_heartbeat
from kcl_processor.state.owner import own
from kcl_processor.state.restarts import pause_before_start
from kcl_processor.state.start_file import write_held
from kcl_processor.table import copy_progress
from kcl_processor.table.copy_progress import CopyProgress
from tests.fakes import INVALID, HandClock, put
from tests.kcl_tables import fill, make_source_and_destination, make_task


def with_metrics(task: Task, url: str) -> Task:
    return replace(task, metrics=replace(task.metrics, endpoint=url))


def make_every_file(files: TaskFiles) -> set[Path]:
    """One of each kind of file that a task can leave, made by what makes it in earnest."""
    name, place = files.task.name, LetterFile(files.letter_file)
    origin = Origin(name, "source", "replica", "shardId-1")
    DeadLetters(place, origin, HandClock(), lambda: None, HandClock().turn).refuse(
        put("a"), INVALID
    )
    place.settle(next(iter(place.letters())))
    beat = ShardFigures(name, "shardId-1", "worker-1", HandClock()).heartbeat()
    write_heartbeat(files.heartbeats, beat)
    gap = Gap(0.0, "shardId-1", "17", None, None, "trimmed")
    note_gap(files.gaps, gap)
    settle_gap(files.gaps, gap)
    copy_progress.save(files.copy_progress, CopyProgress("s", "d", "arn", 1, 1, 0.0, []))
    pause_before_start(files.starts, 0.0)
    lease_changes.save(files.saved_leases(0.0), files.task, [])
    write_held(files.worker, RENDERED, lambda path: render(files, "arn", path, "a test").encode())
    own(files)
    replace_file(files.certificate, b"{}")
    LagHistory(files.lag_history).add(Reading(0.0, None, None))
    half_written(files.copy_progress, 4711).touch()
    return set(files.state.iterdir())


def test_every_kind_of_file_that_a_task_leaves_is_listed(tmp_path: Path) -> None:
    """What is not listed would stay for ever, and be taken for the next task of that name's."""
    files = TaskFiles(make_task(), tmp_path)
    made = make_every_file(files)
    assert {path for path, _ in files.existing()} == made
    assert len(made) == 11


def test_everything_of_a_task_is_found_and_goes(moto_url: str, tmp_path: Path) -> None:
    """Three tables, alarms, files; afterwards there is nothing left."""
    task = with_metrics(make_task(moto_url), moto_url)
    files = TaskFiles(task, tmp_path)
    fill(task, [])
    cloudwatch = boto3.client("cloudwatch", region_name="us-east-1", endpoint_url=moto_url)
    for alarm in alarms(task, []):
        cloudwatch.put_metric_alarm(**alarm)
    made = make_every_file(files)
    found = belongings(files)
    kinds = [one.kind for one in found]
    assert (kinds.count("table"), kinds.count("file")) == (3, len(made))
    assert kinds.count("alarm") == len(alarms(task, []))
    for one in found:
        delete(files, one)
    assert belongings(files) == [] and list(tmp_path.iterdir()) == []


def test_what_is_not_the_tasks_own_stays(moto_url: str, tmp_path: Path) -> None:
    """The source, the destination, and a task whose name begins with this one's."""
    task = with_metrics(make_task(moto_url), moto_url)
    client = make_source_and_destination(task)
    application = f"{task.kcl.application_name}2"
    other = replace(
        task,
        name=f"{task.name}2",
        kcl=replace(task.kcl, application_name=application),
    )
    fill(other, [])
    TaskFiles(other, tmp_path).heartbeats.mkdir(parents=True)
    assert belongings(TaskFiles(task, tmp_path)) == []
    pages = client.get_paginator("list_tables").paginate()
    names = {name for page in pages for name in page["TableNames"]}
    assert {task.source.table, task.destination.table, application} <= names


def test_a_task_takes_no_file_of_one_whose_name_begins_with_its_own(tmp_path: Path) -> None:
    """However much of a name the other's looks like a file of this one."""
    task = make_task()
    for ending in ("leases-old", "owner.json.1", "copy.json.2"):
        other = TaskFiles(replace(task, name=f"{task.name}.{ending}"), tmp_path)
        copy_progress.save(other.copy_progress, CopyProgress("s", "d", "arn", 1, 1, 0.0, []))
    assert list(TaskFiles(task, tmp_path).existing()) == []


def test_a_file_with_open_letters_of_another_task_stays(moto_url: str, tmp_path: Path) -> None:
    """Tasks may share one; without them it goes."""
    task = with_metrics(make_task(moto_url), moto_url)
    shared = tmp_path / "shared.jsonl"
    files = TaskFiles(replace(task, dead_letters=str(shared)), tmp_path)
    place = LetterFile(shared)
    origin = Origin("other", "source", "replica", "shardId-1")
    DeadLetters(place, origin, HandClock(), lambda: None, HandClock().turn).refuse(
        put("a"), INVALID
    )
    assert str(shared) not in {one.name for one in belongings(files)}
    place.settle(next(iter(place.letters())))
    assert {str(shared), f"{shared}.settled"} <= {one.name for one in belongings(files)}


def test_tasks_that_share_a_file_leave_none_of_it(moto_url: str, tmp_path: Path) -> None:
    """The first takes its own letters out of it, and the last the file."""
    shared = tmp_path / "shared.jsonl"
    one = with_metrics(make_task(moto_url), moto_url)
    tasks = [replace(task, dead_letters=str(shared)) for task in (one, replace(one, name="other"))]
    place = LetterFile(shared)
    for task in tasks:
        origin = Origin(task.name, "source", "replica", "shardId-1")
        DeadLetters(place, origin, HandClock(), lambda: None, HandClock().turn).refuse(
            put("a"), INVALID
        )
    uninstall(TaskFiles(tasks[0], tmp_path))
    assert [letter.task for letter in place.letters()] == ["other"]
    assert belongings(TaskFiles(tasks[0], tmp_path)) == []
    uninstall(TaskFiles(tasks[1], tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_letter_that_comes_while_a_task_is_cleared_away_stays(
    moto_url: str, tmp_path: Path
) -> None:
    """Another task's that shares the file, of which it had none before: its tables take seconds."""
    shared = tmp_path / "shared.jsonl"
    task = replace(with_metrics(make_task(moto_url), moto_url), dead_letters=str(shared))
    files, place = TaskFiles(task, tmp_path), LetterFile(shared)

    def set_aside(of: str) -> None:
        origin = Origin(of, "source", "replica", "shardId-1")
        DeadLetters(place, origin, HandClock(), lambda: None, HandClock().turn).refuse(
            put("a"), INVALID
        )

    set_aside(task.name)
    found = belongings(files)
    set_aside("other")
    for one in found:
        delete(files, one)
    assert [letter.task for letter in place.letters()] == ["other"]


def uninstall(files: TaskFiles) -> None:
    for one in belongings(files):
        delete(files, one)


def test_a_file_that_cannot_be_deleted_is_named(tmp_path: Path) -> None:
    """In another user's folder, say; what was deleted before it stays so, and a second try ends."""
    (tmp_path / "file").touch()
    held = tmp_path / "file" / "held"
    with pytest.raises(OperatorError, match=str(held)):
        delete(TaskFiles(make_task(), tmp_path), Belonging(FILE, str(held), ""))
