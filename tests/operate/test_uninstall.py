"""What belongs to a task: all of it, and nothing that belongs to another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import boto3

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import Task
from kcl_processor.operate.dashboard import alarms
from kcl_processor.operate.uninstall import belongings, delete
from tests.kcl_tables import fill, make_source_and_destination, make_task


def with_metrics(task: Task, url: str) -> Task:
    return replace(task, metrics=replace(task.metrics, endpoint=url))


def test_everything_of_a_task_is_found_and_goes(moto_url: str, tmp_path: Path) -> None:
    """Three tables, alarms, files; afterwards there is nothing left."""
    task = with_metrics(make_task(moto_url), moto_url)
    fill(task, [])
    cloudwatch = boto3.client("cloudwatch", region_name="us-east-1", endpoint_url=moto_url)
    for alarm in alarms(task, []):
        cloudwatch.put_metric_alarm(**alarm)
    TaskFiles(task, tmp_path).letter_file.write_text("{}\n")
    TaskFiles(task, tmp_path).heartbeats.mkdir()
    (tmp_path / f"{task.name}.leases-20260101T000000Z.json").write_text("{}")
    found = belongings(TaskFiles(task, tmp_path))
    kinds = [one.kind for one in found]
    assert (kinds.count("table"), kinds.count("file")) == (3, 3)
    assert kinds.count("alarm") == len(alarms(task, []))
    for one in found:
        delete(task, one)
    assert belongings(TaskFiles(task, tmp_path)) == [] and list(tmp_path.iterdir()) == []


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
    TaskFiles(other, tmp_path).heartbeats.mkdir()
    assert belongings(TaskFiles(task, tmp_path)) == []
    pages = client.get_paginator("list_tables").paginate()
    names = {name for page in pages for name in page["TableNames"]}
    assert {task.source.table, task.destination.table, application} <= names
