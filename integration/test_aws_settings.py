"""Each AWS setting is obeyed by whom the README says: here the daemon's JVM."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.render import render
from kcl_processor.config.task import Kcl, Metrics, Side, Source, Task
from kcl_processor.launcher.build import compile_java
from kcl_processor.launcher.jars import LAUNCHER, daemon_class_path, join_class_path, resolve
from kcl_processor.launcher.java import find_java, jvm_flags
from tests.aws_settings import REGION, SETTINGS, Scene, staged
from tests.readme import obeyed_by

# Seconds for an answer or for giving up; the scenes' slowest answer takes six.
_PATIENCE = 15
_STREAM = f"arn:aws:dynamodb:{REGION}:123456789012:table/t/stream/2026-01-01T00:00:00.000"


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command line of a JVM that asks as the daemon does, without its arguments."""
    java = find_java()
    classes = tmp_path_factory.mktemp("classes")
    class_path = [*map(Path, daemon_class_path().split(":")), *resolve("test")]
    compile_java(java.path, LAUNCHER / "test", class_path, classes)
    everything = join_class_path([classes, *class_path])
    main = "io.github.kclprocessor.launcher.Ask"
    return [str(java.path), *jvm_flags(java.version), "-cp", everything, main]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_readme_says_whether_the_daemon_obeys_a_setting(
    name: str, ask: list[str], tmp_path: Path
) -> None:
    """What reached the servers, from both of its kinds of client, is what the table says."""
    (tmp_path / ".aws").mkdir()
    with staged(name, tmp_path) as scene:
        ran = subprocess.run(
            [*ask, str(properties(scene, tmp_path)), str(_PATIENCE)],
            env={**plain(tmp_path), **scene.environment},
            # The built-in logback.xml writes to the working directory.
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert scene.obeyed() == obeyed_by("daemon", name), ran.stdout
        asked = {request.headers["X-Amz-Target"].partition("_")[0] for request in scene.requests}
        assert asked in (set(), {"DynamoDB", "DynamoDBStreams"}), ran.stdout


def properties(scene: Scene, home: Path) -> Path:
    """A task's, whose table and stream are the scene's."""
    path = home / "task.properties"
    task = Task(
        name="task",
        source=Source(REGION, "t", scene.endpoint),
        destination=Side(REGION, "t", "http://127.0.0.1:1"),
        kcl=Kcl(REGION, scene.endpoint, "application", "worker-1"),
        metrics=Metrics(publish=False, endpoint="http://127.0.0.1:1"),
    )
    path.write_text(render(TaskFiles(task, home / "state"), _STREAM, path, "a test"))
    return path


def plain(home: Path) -> dict[str, str]:
    """An environment without AWS settings."""
    kept = {name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ}
    return {**kept, "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
