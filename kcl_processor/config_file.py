"""The YAML file to tasks. Every complaint names the file, the line and the key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

import yaml

from kcl_processor import kcl_properties
from kcl_processor.config import (
    APPLICATION_PREFIX,
    Kcl,
    Metrics,
    Side,
    Source,
    Task,
    check_task,
    default_task_name,
    default_worker_id,
)
from kcl_processor.errors import ConfigError


def load_tasks(path: Path) -> list[Task]:
    """Read every task of a file.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong.
    """
    root = _Section(path, "", _compose(path))
    tasks = [_task(section, name) for name, section in root.named_or_listed("tasks")]
    root.finish()
    _refuse_shared_tables(path, tasks)
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
    raise ConfigError(f"{path} holds no task {name!r}.", _nearest(name, names) or ", ".join(names))


def _task(section: _Section, name: str | None) -> Task:
    source = _source(section.section("source"))
    destination = _side(section.section("destination"))
    name = name or section.text("name") or default_task_name(source, destination)
    task = Task(
        name=name,
        source=source,
        destination=destination,
        kcl=_kcl(section.section("kcl", required=False), name, source),
        metrics=_metrics(section.section("metrics", required=False)),
        batch_size=section.integer("batch_size", 1000, 1, 1000),
        checkpoint_seconds=section.integer("checkpoint_seconds", 5, 1, 300),
        on_poison=section.choice("on_poison", "stop", "dead-letter"),
        dead_letters=section.text("dead_letters"),
        on_gap=section.choice("on_gap", "stop", "continue"),
    )
    section.finish()
    return check_task(task, section.where())


def _source(section: _Section) -> Source:
    source = Source(
        region=section.required_text("region"),
        table=section.required_text("table"),
        endpoint=section.text("endpoint"),
        role_arn=section.text("role_arn"),
        external_id=section.text("external_id"),
        streams_endpoint=section.text("streams_endpoint"),
        stream_arn=section.text("stream_arn"),
    )
    section.finish()
    return source


def _side(section: _Section) -> Side:
    side = Side(
        region=section.required_text("region"),
        table=section.required_text("table"),
        endpoint=section.text("endpoint"),
        role_arn=section.text("role_arn"),
        external_id=section.text("external_id"),
    )
    section.finish()
    return side


def _kcl(section: _Section, name: str, source: Source) -> Kcl:
    region = section.text("region")
    endpoint = section.text("endpoint")
    kcl = Kcl(
        region=region or source.region,
        # As in the original: without a region of its own, KCL lives beside the source table.
        endpoint=endpoint or (None if region else source.endpoint),
        application_name=section.text("application_name") or APPLICATION_PREFIX + name,
        worker_id=section.text("worker_id") or default_worker_id(),
        properties=_properties(section.section("properties", required=False)),
    )
    section.finish()
    return kcl


def _metrics(section: _Section) -> Metrics:
    metrics = Metrics(
        publish=section.flag("publish", True),
        region=section.text("region"),
        endpoint=section.text("endpoint"),
    )
    section.finish()
    return metrics


def _properties(section: _Section) -> dict[str, str]:
    properties = {}
    for key in section.names():
        if key in kcl_properties.OWNED:
            raise section.error(
                key,
                f"the property {key} is set by the product",
                f"use {kcl_properties.OWNED[key]}",
            )
        if key in kcl_properties.SETTABLE:
            properties[key] = section.required_text(key)
    section.finish(known=kcl_properties.SETTABLE)
    return properties


def _refuse_shared_tables(path: Path, tasks: list[Task]) -> None:
    seen: dict[tuple[str, str | None, str], str] = {}
    for task in tasks:
        table = (task.kcl.region, task.kcl.endpoint, task.kcl.application_name)
        if table in seen:
            raise ConfigError(
                f"{path}: tasks {seen[table]!r} and {task.name!r} would share the checkpoint table "
                f"{task.kcl.application_name}, and destroy each other's checkpoints.",
                "give one of them another name or kcl.application_name",
            )
        seen[table] = task.name


def _compose(path: Path) -> yaml.Node:
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", "name the file with -c FILE"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}.", "mend the file at that place") from error
    if node is None:
        raise ConfigError(f"{path} is empty.", "start from properties/example.yml")
    return node


class _Section:
    """One mapping of the file, read key by key; what nobody asked for is an error."""

    def __init__(self, path: Path, name: str, node: yaml.Node) -> None:
        self._path = path
        self._name = name
        self._node = node
        self._asked: list[str] = []
        self._values: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            raise self.error(None, f"{name or 'the file'} is not a mapping", "key: value lines")
        for key, value in node.value:
            if key.value in self._values:
                raise self.error(key.value, f"the key {key.value!r} stands twice", "keep one")
            self._values[key.value] = value

    def where(self) -> str:
        return f"{self._path}:{self._node.start_mark.line + 1}"

    def error(self, key: str | None, reason: str, hint: str) -> ConfigError:
        node = self._values.get(key or "", self._node)
        place = ".".join(part for part in (self._name, key) if part)
        line = node.start_mark.line + 1
        return ConfigError(f"{self._path}:{line}: {place or 'file'}: {reason}.", hint)

    def names(self) -> list[str]:
        return list(self._values)

    def finish(self, known: Iterable[str] = ()) -> None:
        """Refuse keys that nobody asked for."""
        known = [*self._asked, *known]
        for key in self._values:
            if key not in known:
                hint = _nearest(key, known) or f"one of: {', '.join(sorted(set(known)))}"
                raise self.error(key, f"the key {key!r} is not known", hint)

    def section(self, key: str, required: bool = True) -> _Section:
        name = f"{self._name}.{key}" if self._name else key
        node = self._take(key, required)
        empty = yaml.MappingNode("tag:yaml.org,2002:map", [], self._node.start_mark)
        return _Section(self._path, name, node or empty)

    def named_or_listed(self, key: str) -> list[tuple[str | None, _Section]]:
        """A mapping of name to section, or a list of sections that have no name."""
        node = self._take(key, required=True)
        assert node is not None
        if isinstance(node, yaml.SequenceNode):
            return [
                (None, _Section(self._path, f"{key}[{i}]", item))
                for i, item in enumerate(node.value)
            ]
        tasks = _Section(self._path, key, node)
        if not tasks.names():
            raise self.error(key, "there is no task", "start from properties/example.yml")
        return [(name, tasks.section(name)) for name in tasks.names()]

    def text(self, key: str) -> str | None:
        node = self._take(key, required=False)
        if node is None or node.tag == "tag:yaml.org,2002:null":
            return None
        if not isinstance(node, yaml.ScalarNode):
            raise self.error(key, "a text is wanted here", f"{key}: text")
        return str(node.value)

    def required_text(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise self.error(key, f"{key} is missing", f"{key}: …")
        return value

    def integer(self, key: str, default: int, least: int, most: int) -> int:
        value = self.text(key)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            reason = f"{value!r} is not a whole number from {least} to {most}"
            raise self.error(key, reason, f"{key}: {default}")
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        node = self._take(key, required=False)
        if node is None:
            return default
        if node.tag != "tag:yaml.org,2002:bool":
            raise self.error(key, f"{node.value!r} is not true or false", f"{key}: true")
        return str(node.value).lower() in ("true", "yes", "on")

    def choice(self, key: str, *choices: str) -> str:
        value = self.text(key)
        if value is not None and value not in choices:
            raise self.error(key, f"{value!r} is not one of {', '.join(choices)}", f"{key}: …")
        return value or choices[0]

    def _take(self, key: str, required: bool) -> yaml.Node | None:
        self._asked.append(key)
        if required and key not in self._values:
            hint = _nearest(key, self._values)
            raise self.error(None, f"{key} is missing", hint or f"{key}: …")
        return self._values.get(key)


def _nearest(word: str, words: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(words), n=1)
    return f"{found[0]}" if found else ""
