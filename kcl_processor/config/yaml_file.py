"""The YAML file to tasks. Every complaint names the file, the line and the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kcl_processor.config import kcl_properties
from kcl_processor.config.access import DEFAULT, Access
from kcl_processor.config.conflicts import refuse_conflicts
from kcl_processor.config.task import (
    ALARM,
    BATCH_SIZE,
    BUCKET,
    CHECKPOINT_SECONDS,
    COMMAND,
    ENDPOINT,
    HEAL,
    LETTERS,
    ON_GAP,
    ON_POISON,
    QUEUE,
    REGION,
    STREAM_ARN,
    TTL_DELETES,
    UNREAD_SECONDS,
    Kcl,
    Metrics,
    Side,
    Source,
    Task,
    ThrottleWhen,
    check_task,
    default_task_name,
    make_kcl,
)
from kcl_processor.config.yaml_access import read_access
from kcl_processor.config.yaml_rules import read_rules
from kcl_processor.config.yaml_section import Section, nearest, read_yaml
from kcl_processor.errors import ConfigError


def load_tasks(path: Path) -> list[Task]:
    """Read every task of a file.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong.
    """
    root = read_yaml(path)
    tasks = [_task(section, name) for name, section in root.named_or_listed("tasks")]
    root.finish()
    refuse_conflicts(path, tasks)
    return tasks


def find_task(tasks: list[Task], name: str | None, path: Path) -> Task:
    """The task of that name, or the only one.

    Raises:
        ConfigError: there is no such task, or no name was given and there are several.
    """
    names = [task.name for task in tasks]
    if name is None and len(tasks) == 1:
        return tasks[0]
    if name in names:
        return tasks[names.index(name)]
    if name is None:
        raise ConfigError(f"{path} holds {len(tasks)} tasks.", f"name one: {', '.join(names)}")
    raise ConfigError(f"{path} holds no task {name!r}.", nearest(name, names) or ", ".join(names))


def _task(section: Section, name: str | None) -> Task:
    source = _source(section.section("source"))
    destination = _side(section.section("destination"))
    name = name or section.text("name") or default_task_name(source, destination)
    letters, letters_access = _letters(section)
    task = Task(
        name=name,
        source=source,
        destination=destination,
        kcl=_kcl(section.section("kcl", required=False), name, source),
        metrics=_metrics(section.section("metrics", required=False)),
        batch_size=section.integer("batch_size", Task.batch_size, BATCH_SIZE),
        checkpoint_seconds=section.integer(
            "checkpoint_seconds", Task.checkpoint_seconds, CHECKPOINT_SECONDS
        ),
        on_poison=section.choice("on_poison", *ON_POISON),
        dead_letters=letters,
        letters_access=letters_access,
        on_gap=section.choice("on_gap", *ON_GAP),
        heal_bucket=section.text("heal_bucket", BUCKET),
        unread_seconds=section.integer("unread_seconds", Task.unread_seconds, UNREAD_SECONDS),
        ttl_deletes=section.choice("ttl_deletes", *TTL_DELETES),
        rules=read_rules(section),
        throttle_when=_throttle_when(section),
    )
    section.finish()
    if task.on_gap == HEAL and not task.heal_bucket:
        raise section.error(
            "on_gap", "what changed in a gap is exported to a bucket", "heal_bucket: NAME"
        )
    return check_task(task, section.where())


def _source(section: Section) -> Source:
    source = Source(
        **_table(section),
        streams_endpoint=section.text("streams_endpoint", ENDPOINT) or None,
        stream_arn=section.text("stream_arn", STREAM_ARN) or None,
    )
    section.finish()
    return source


def _side(section: Section) -> Side:
    side = Side(**_table(section))
    section.finish()
    return side


def _table(section: Section) -> dict[str, Any]:
    return {
        "region": section.fitting("region", REGION),
        "table": section.required_text("table"),
        "endpoint": section.text("endpoint", ENDPOINT) or None,
        "access": read_access(section),
    }


def _letters(section: Section) -> tuple[str | None, Access]:
    """Where dead letters go: a text, or a queue with credentials of its own."""
    if not section.is_section("dead_letters"):
        return section.text("dead_letters", LETTERS), DEFAULT
    letters = section.section("dead_letters")
    queue, access = letters.fitting("queue", QUEUE), read_access(letters)
    letters.finish()
    return queue, access


def _throttle_when(task: Section) -> ThrottleWhen | None:
    section = task.section("throttle_when", required=False)
    command, alarm = section.text("command", COMMAND), section.text("alarm", ALARM)
    section.finish()
    if "throttle_when" not in task.names():
        return None
    found = ThrottleWhen(command or None, alarm or None)
    if found.command and found.alarm:
        reason = "command and alarm stand beside each other"
        raise section.error("alarm", reason, "keep one of them")
    if not (found.command or found.alarm):
        reason = "there is neither a command nor an alarm in it"
        raise task.error("throttle_when", reason, "{command: …} or {alarm: …}")
    return found


def _kcl(section: Section, name: str, source: Source) -> Kcl:
    kcl = make_kcl(
        name,
        source,
        region=section.text("region", REGION) or None,
        endpoint=section.text("endpoint", ENDPOINT) or None,
        application_name=section.text("application_name"),
        worker_id=section.text("worker_id"),
        properties=_properties(section.section("properties", required=False)),
        access=read_access(section),
    )
    section.finish()
    return kcl


def _metrics(section: Section) -> Metrics:
    metrics = Metrics(
        publish=section.flag("publish", default=True),
        region=section.text("region", REGION) or None,
        endpoint=section.text("endpoint", ENDPOINT) or None,
        access=read_access(section),
    )
    section.finish()
    return metrics


def _properties(section: Section) -> dict[str, str]:
    properties = {}
    for key in section.names():
        if key in kcl_properties.OWNED:
            raise section.error(
                key,
                f"the property {key} is set by the product",
                f"use {kcl_properties.OWNED[key]}",
            )
        if form := kcl_properties.SETTABLE.get(key):
            properties[key] = section.fitting(key, form)
    section.finish(known=kcl_properties.SETTABLE)
    return properties
