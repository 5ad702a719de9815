"""A task in the other direction, as YAML: for the way back after a switchover.

Only one without rules has another direction: what rules leave out, and what ``ttl_deletes: skip``
keeps, is not on both sides.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from kcl_processor.config.task import NAMED_TABLES, Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.config.yaml_section import compose
from kcl_processor.errors import ConfigError

SUFFIX = "-reverse"
# What is true of a table as a source alone.
_OF_A_SOURCE = ("streams_endpoint", "stream_arn")
# What names KCL's tables, which the two directions must not share.
_OF_TABLES = ("application_name", *NAMED_TABLES)


def refuse_irreversible(task: Task) -> None:
    """Refuse rules between both tables.

    Raises:
        ConfigError: there are some.
    """
    if task.is_ruled:
        rules = "transform" if task.rules else "ttl_deletes: skip"
        raise ConfigError(
            f"Task {task.name} has {rules}: what its destination holds is not what its source "
            "does, so its other direction is not known.",
            "write the way back down by hand, with rules of its own",
        )


def reversed_yaml(path: Path, task: Task) -> str:
    """A file of one task, which replicates a task's destination to its source.

    Everything else is taken over as it was written, but for what names KCL's tables.

    Args:
        path: the file that the task was read from.

    Raises:
        ConfigError: the file can no longer be read; or as :func:`refuse_irreversible`.
    """
    refuse_irreversible(task)
    place = [one.name for one in load_tasks(path)].index(task.name)
    before = _keys(_named(_keys(compose(path)))[place])
    kept = {name: node for name, node in before.items() if name not in ("name", "source", "kcl")}
    keys = {
        "source": before["destination"],
        **kept,
        "destination": _without(before["source"], _OF_A_SOURCE),
    }
    if "kcl" in before:
        kcl = _keys(_without(before["kcl"], _OF_TABLES))
        if "properties" in kcl:
            kcl["properties"] = _without(kcl["properties"], _OF_TABLES)
        if kcl:
            keys["kcl"] = _mapping(kcl)
    root = _mapping({"tasks": _mapping({task.name + SUFFIX: _mapping(keys)})})
    text: str = yaml.serialize(root, Dumper=yaml.SafeDumper)
    return text


def _named(root: dict[str, Any]) -> list[Any]:
    """The file's tasks, by name or in a list."""
    tasks = root["tasks"]
    if isinstance(tasks, yaml.SequenceNode):
        return list(tasks.value)
    return list(_keys(tasks).values())


def _keys(node: Any) -> dict[str, Any]:
    return {key.value: value for key, value in node.value}


def _without(node: Any, names: tuple[str, ...]) -> yaml.Node:
    kept = [(key, value) for key, value in node.value if key.value not in names]
    return yaml.MappingNode(node.tag, kept, flow_style=node.flow_style)


def _mapping(keys: dict[str, yaml.Node]) -> yaml.Node:
    text = "tag:yaml.org,2002:str"
    pairs = [(yaml.ScalarNode(text, name), value) for name, value in keys.items()]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=False)
