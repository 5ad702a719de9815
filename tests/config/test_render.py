"""Rendering: the example's files are what its YAML renders, and every reader finds its settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.render import endpoint, render
from kcl_processor.config.task import Task, ThrottleWhen
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ConfigError
from kcl_processor.transform.transform import Transform

EXAMPLE = Path(__file__).parents[2] / "properties" / "example.yml"


def rendered(task: Task) -> str:
    assert task.source.stream_arn is not None
    path = Path("properties") / f"{task.name}.properties"
    files = TaskFiles(task, Path("/var/lib/kcl-processor"))
    keys = {"tenant": "S", "id": "S"}, {"pk": "S"}
    transform = Transform(task.rules, *keys) if task.rules else None
    return render(files, task.source.stream_arn, path, EXAMPLE.name, transform)


@pytest.mark.parametrize("task", load_tasks(EXAMPLE), ids=lambda task: task.name)
def test_the_example_files_are_rendered_from_the_example(task: Task) -> None:
    """properties/*.properties are what `kcl-processor render` writes from example.yml."""
    assert (EXAMPLE.parent / f"{task.name}.properties").read_text() == rendered(task)


def test_a_property_of_kcl_overrides_the_products_default() -> None:
    """What stands under kcl.properties is what KCL gets."""
    (task,) = [task for task in load_tasks(EXAMPLE) if task.kcl.properties]
    assert "failoverTimeMillis = 20000" in rendered(task).splitlines()


@pytest.mark.parametrize(
    ("on_gap", "told"), [("stop", "stop"), ("continue", "continue"), ("heal", "continue")]
)
def test_a_daemon_goes_on_beside_whoever_heals(on_gap: str, told: str) -> None:
    """It knows two ways."""
    task = replace(load_tasks(EXAMPLE)[0], on_gap=on_gap)
    assert f"replica.onGap = {told}" in rendered(task).splitlines()


def test_a_daemon_is_told_what_throttles_it() -> None:
    """The alarm with its region, the command as it is; without either there is no word of it."""
    task = replace(load_tasks(EXAMPLE)[0], throttle_when=ThrottleWhen(alarm="hot"))
    alarm = rendered(task).splitlines()
    assert {"replica.throttle.alarm = hot", "replica.throttle.region = us-west-2"} <= set(alarm)
    task = replace(task, throttle_when=ThrottleWhen(command="test -e /run/hold"))
    assert "replica.throttle.command = test -e /run/hold" in rendered(task).splitlines()
    assert "throttle" not in rendered(replace(task, throttle_when=None))


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("us-west-2", "https://dynamodb.us-west-2.amazonaws.com"),
        ("cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_endpoints_follow_the_sdks_rules(region: str, url: str) -> None:
    """A destination without an endpoint gets its partition's."""
    assert endpoint("dynamodb", region, None) == url


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("AWS_PROFILE", " "),
        ("AWS_CA_BUNDLE", " "),
        ("AWS_MAX_ATTEMPTS", "soon"),
        ("AWS_ENDPOINT_URL", "junk"),
    ],
)
def test_settings_that_cannot_be_used_are_an_error_of_the_configuration(
    setting: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nothing is asked, the SDK reads them for its endpoint."""
    monkeypatch.setenv(setting, value)
    with pytest.raises(ConfigError, match="endpoint of dynamodb in us-east-1"):
        endpoint("dynamodb", "us-east-1", None)
