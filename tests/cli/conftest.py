"""A task's file, and commands that are run on it, against a moto server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kcl_processor.cli import main
from kcl_processor.clock import SystemClock
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.launch.identity import write_claim
from kcl_processor.table.pace import Halt
from tests.cli.ask import Ask, Said, write_tasks
from tests.javas import DUMPS, SAYS_JAVA_17, java_that
from tests.kcl_tables import fill, identity, make_source_and_destination, settle_stream, snapshot


@pytest.fixture
def file(moto_url: str, tmp_path: Path) -> Path:
    """A YAML file of one task whose source and destination are there."""
    path = tmp_path / "tasks.yml"
    task = write_tasks(path, moto_url)
    make_source_and_destination(task)
    settle_stream(task.source.table)
    return path


@pytest.fixture
def ran(file: Path) -> Task:
    """The task of the file, which has been run: there are leases, of two workers."""
    task = load_tasks(file)[0]
    fill(task, *snapshot("two-workers"))
    assert write_claim(task, None, identity(task))
    return task


@pytest.fixture(scope="session")
def java_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of what says that it is a Java. The archive of classes that ``doctor`` has one make
    takes it seconds, and no command's test is about that."""
    home = tmp_path_factory.mktemp("java")
    (home / "bin").mkdir()
    java_that(home / "bin", SAYS_JAVA_17 + DUMPS)
    return home


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command's waits take no time, and its clock shows that they are over."""
    waited = 0.0

    def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds

    def wait(halt: Halt, seconds: float) -> None:
        sleep(seconds)
        look(halt, 0)

    def turned(tell: Callable[[SystemClock], float]) -> Callable[[SystemClock], float]:
        return lambda clock: tell(clock) + waited

    look = Halt.wait
    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr(Halt, "wait", wait)
    for tell in (SystemClock.elapsed, SystemClock.awake, SystemClock.now):
        monkeypatch.setattr(SystemClock, tell.__name__, turned(tell))


@pytest.fixture
def ask(
    file: Path,
    java_home: Path,
    moto_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ask:
    """Run a command of the file's task."""
    # Where a daemon that should not have started would leave its logs.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KCL_PROCESSOR_CONFIG", str(file))
    monkeypatch.setenv("KCL_PROCESSOR_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    monkeypatch.setenv("JAVA_HOME", str(java_home))

    def run(command: str, *words: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main([command, *words])
        return Said(int(ended.value.code or 0), *capsys.readouterr())

    return run
