"""Each AWS setting is obeyed by whom the README says: here the daemon's JVM."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from email.utils import format_datetime
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.render import render
from kcl_processor.config.task import Kcl, Metrics, Side, Source, Task
from kcl_processor.launcher.build import compile_java
from kcl_processor.launcher.jars import LAUNCHER, daemon_class_path, join_class_path, resolve
from kcl_processor.launcher.java import find_java, jvm_flags
from tests.aws_settings import REGION, SETTINGS, Scene, staged
from tests.edges import Reply, Request, serving
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


@pytest.mark.drill
@pytest.mark.parametrize("name", SETTINGS)
def test_the_readme_says_whether_the_daemon_obeys_a_setting(
    name: str, ask: list[str], tmp_path: Path
) -> None:
    """What reached the servers, from both of its kinds of client, is what the table says."""
    (tmp_path / ".aws").mkdir()
    with staged(name, tmp_path) as scene:
        said = ask_as_the_daemon(scene, ask, tmp_path)
        assert scene.obeyed() == obeyed_by("daemon", name), said
        asked = {request.headers["X-Amz-Target"].partition("_")[0] for request in scene.requests}
        assert asked in (set(), {"DynamoDB", "DynamoDBStreams"}), said


def test_the_daemon_signs_with_the_time_of_aws(ask: list[str], tmp_path: Path) -> None:
    """A clock that is three hours off is corrected by the date of the answer that refuses it."""
    ahead = dt.timedelta(hours=3)
    accepted = []

    def answer(request: Request) -> Reply:
        signed = dt.datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
        now = dt.datetime.now(dt.UTC) + ahead
        if abs(signed - now) < dt.timedelta(minutes=5):
            accepted.append(request.headers["X-Amz-Target"])
            return Reply.of({"StreamDescription": {}, "Table": {}})
        refusal = {"__type": "x#InvalidSignatureException", "message": "Signature expired"}
        return Reply.of(refusal, 400, Date=format_datetime(now, usegmt=True))

    keys = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "secret"}
    with serving(answer) as table:
        said = ask_as_the_daemon(Scene(table.url, keys, table.requests), ask, tmp_path)
    assert len(accepted) == 2, said


def ask_as_the_daemon(scene: Scene, ask: list[str], home: Path) -> str:
    """Have it ask in a scene; gives what it said."""
    (home / ".aws").mkdir(exist_ok=True)
    ran = subprocess.run(
        [*ask, str(properties(scene, home)), str(_PATIENCE)],
        env={**plain(home), **scene.environment},
        # The built-in logback.xml writes to the working directory.
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


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
