"""A record processor's settings: those of its task, or a refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.settings import read_settings
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError
from kcl_processor.transform.rules import Rules
from kcl_processor.transform.transform import Transform

EXAMPLE = Path(__file__).parents[2] / "properties" / "example.yml"


@pytest.mark.parametrize("task", load_tasks(EXAMPLE), ids=lambda task: task.name)
def test_a_record_processor_reads_what_was_rendered(task: Task) -> None:
    """The settings of a child are those of the task."""
    settings = read_settings(EXAMPLE.with_name(f"{task.name}.properties"))
    assert (settings.task, settings.destination_table) == (task.name, task.destination.table)
    assert settings.destination_region == task.destination.region
    assert settings.checkpoint_interval == task.checkpoint_seconds
    assert settings.on_poison == task.on_poison
    assert settings.metrics_publish == task.metrics.publish
    assert settings.destination_access == task.destination.access
    assert settings.metrics_access == task.metrics.access
    assert settings.letters_access == task.letters_access


@pytest.mark.parametrize("task", load_tasks(EXAMPLE), ids=lambda task: task.name)
def test_a_file_that_an_earlier_version_wrote_will_do(task: Task, tmp_path: Path) -> None:
    """A daemon that runs while its package is upgraded starts children of the new one at its next
    rollover, with what it was started with itself; so does the bootstrap script."""
    rendered = EXAMPLE.with_name(f"{task.name}.properties")
    since = ("replica.lock", "replica.letterFile")
    path = tmp_path / rendered.name
    lines = rendered.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(since)))
    assert read_settings(path) == replace(read_settings(rendered), lock="")


def test_a_function_that_was_edited_since_is_not_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was claimed at the start, or rendered, was by the function as it was: a record processor
    that reads its file anew would lay items otherwise."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "rules_edited.py").write_text("def keep(change): return change.new\n")
    rules, keys = Rules(python="rules_edited:keep"), {"pk": "S"}
    rendered = EXAMPLE.with_name(f"{load_tasks(EXAMPLE)[0].name}.properties")
    settings = replace(
        read_settings(rendered),
        rules=rules.text(),
        rules_digest=Transform(rules, keys, keys).digest(),
        source_keys=json.dumps(keys),
        destination_keys=json.dumps(keys),
    )
    assert settings.transform()
    edited = replace(settings, rules_digest="of another text")
    with pytest.raises(ConfigError, match="rules_edited:keep is another than when"):
        edited.transform()


def test_a_file_that_lacks_a_setting_is_named(tmp_path: Path) -> None:
    """A file that was not rendered by us is refused by name, not half used."""
    path = tmp_path / "other.properties"
    path.write_text("applicationName = x\n")
    with pytest.raises(ConfigError, match=r"other\.properties lacks .*replica\.task"):
        read_settings(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_settings(tmp_path / "missing")
