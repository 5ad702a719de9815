"""The daemon of a task: its files, its place on this host, its environment."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.settings import Settings, read_settings
from kcl_processor.config.task import Side, Task, default_worker_id, with_worker
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.launch.daemon import (
    HEALER,
    Launch,
    Logs,
    environment,
    lock_logs,
    lock_worker,
    make_launch,
    running_workers,
)
from tests.javas import SAYS_JAVA_17, java_that
from tests.kcl_tables import make_task


@pytest.fixture
def java(tmp_path: Path) -> Path:
    """A program that says that it is a Java."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return java_that(folder, SAYS_JAVA_17)


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    """What a launch holds open over an exec is closed where there was none."""
    before = set(os.listdir("/proc/self/fd"))
    yield
    for descriptor in set(os.listdir("/proc/self/fd")) - before:
        path = Path(f"/proc/self/fd/{descriptor}")
        if path.exists() and str(path.readlink()).endswith(".properties"):
            os.close(int(descriptor))


def launched(task: Task, state: Path, java: Path) -> Launch:
    files = TaskFiles(task, state)
    return make_launch(files, "arn:stream", "a test", Logs(state / "logs"), str(java))


def settings_of(launch: Launch) -> tuple[Path, Settings]:
    """The file that a daemon and its record processors read, and what stands there."""
    path = Path(launch.command[launch.command.index("--properties-file") + 1])
    return path, read_settings(path)


def test_nothing_that_starts_later_writes_what_a_daemon_reads(tmp_path: Path, java: Path) -> None:
    """A namesake, another worker, another start: each has a file of its own, and none can change
    what the record processors of the first will read at the next rollover."""
    task = make_task()
    namesake = replace(task, destination=Side("us-east-1", "elsewhere"))
    second = with_worker(task, "worker-2", "a test")
    starts = [launched(one, tmp_path, java) for one in (task, namesake, second, task)]
    found = [settings_of(launch) for launch in starts]
    assert len({path for path, _ in found}) == 4
    assert [settings.destination_table for _, settings in found] == [
        task.destination.table, "elsewhere", *[task.destination.table] * 2
    ]  # fmt: skip
    assert [settings.worker_id for _, settings in found][2] == "worker-2"
    assert len({settings.heartbeats for _, settings in found}) == 2
    assert {path.stat().st_mode & 0o777 for path, _ in found} == {0o400}
    assert all(f"kcl-processor-child {path}\n" in path.read_text() for path, _ in found)


def test_a_daemon_keeps_who_heals_beside_it(tmp_path: Path, java: Path) -> None:
    """Its command is a property of the JVM, whatever its words hold; nothing else changes."""
    launch = launched(make_task(), tmp_path, java)
    kept = launch.keeping(["python", "-c", "a file.yml"])
    assert kept.command[1] == f"-D{HEALER}=python\t-c\ta file.yml"
    assert [*kept.command[:1], *kept.command[2:]] == launch.command
    assert kept.environment == launch.environment


def test_what_nobody_reads_any_more_is_swept(tmp_path: Path, java: Path) -> None:
    """The next start of the worker removes what its earlier ones were rendered into."""
    task = make_task()
    path, _ = settings_of(launched(task, tmp_path, java))
    os.close(held(path))
    following, _ = settings_of(launched(task, tmp_path, java))
    assert TaskFiles(task, tmp_path).renderings() == [following]


def held(path: Path) -> int:
    """The descriptor by which this process holds a file; a started daemon would have it."""
    numbers = (int(name) for name in os.listdir("/proc/self/fd"))
    (descriptor,) = (
        number for number in numbers if os.path.realpath(f"/proc/self/fd/{number}") == str(path)
    )
    assert os.get_inheritable(descriptor), "it must outlast the exec of Java"
    with path.open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def test_a_worker_runs_once_on_a_host(tmp_path: Path) -> None:
    """A second one of the same id would own the first one's leases; one of another id may run, and
    whoever asks this host is told of both."""
    files = TaskFiles(make_task(), tmp_path)
    task, second = files.task, with_worker(files.task, "worker-2", "a test")
    assert running_workers(files) == []
    with lock_worker(task) as lock:
        assert running_workers(files) == ["worker-1"]
        assert lock.get_inheritable(), "the lock must outlast the exec of Java"
        with pytest.raises(OperatorError, match=r"already runs .* worker-1") as raised:
            lock_worker(task)
        assert raised.value.exit_code == ExitCode.CONFIG
        with lock_worker(second):
            replace(files, task=second).worker.mkdir(parents=True)
            assert running_workers(files) == ["worker-1", "worker-2"]
        assert running_workers(files) == ["worker-1"]
    assert running_workers(files) == []


def test_each_worker_writes_logs_of_its_own(tmp_path: Path) -> None:
    """Those of the host's own worker have the names that they always had."""
    task = with_worker(make_task(), default_worker_id(), "a test")
    second = with_worker(task, "w2", "a test")
    logs = [Logs.of(one, folder) for one in (task, second) for folder in (None, tmp_path)]
    prefixes = [log.prefix for log in logs]
    assert prefixes == ["", f"{task.name}-", f"{task.name}@w2-", f"{task.name}@w2-"]
    assert [log.folder for log in logs] == [Path.cwd(), tmp_path] * 2


def test_two_daemons_never_write_one_log(tmp_path: Path) -> None:
    """Two tasks in one working directory would mix their lines and rotate each other's away."""
    logs = Logs(tmp_path, "")
    with lock_logs(logs) as lock:
        assert lock.get_inheritable()
        with pytest.raises(OperatorError, match=r"writes .*connectors\.log") as raised:
            lock_logs(Logs(tmp_path / "." / "sub" / "..", ""))
        assert "--log-dir" in raised.value.hint
        lock_logs(Logs(tmp_path, "orders-")).close()
    lock_logs(logs).close()


def test_the_daemon_finds_this_pythons_record_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its programs come first on the PATH; what an operator set stays."""
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    found = environment()
    assert found["PATH"] == f"{Path(sys.executable).parent}{os.pathsep}/usr/bin"
    assert found["MALLOC_ARENA_MAX"] == "7"
    monkeypatch.delenv("MALLOC_ARENA_MAX")
    assert environment()["MALLOC_ARENA_MAX"] == "2"


def test_logs_that_can_have_no_folder_are_a_matter_of_configuration(
    tmp_path: Path, java: Path
) -> None:
    """A restart would not mend it, so it is no crash."""
    files = TaskFiles(make_task(), tmp_path / "state")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OperatorError, match="file/logs cannot be made: Not a directory") as refused:
        make_launch(files, "arn:stream", "a test", Logs(tmp_path / "file" / "logs"), str(java))
    assert refused.value.exit_code == ExitCode.CONFIG and "--log-dir" in refused.value.hint


def test_a_full_disk_is_worth_another_start(
    tmp_path: Path, java: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passes, and a supervisor would leave the daemon stopped for a matter of configuration."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OperatorError, match="cannot be written: No space left") as refused:
        launched(make_task(), tmp_path / "state", java)
    assert refused.value.exit_code == ExitCode.CRASH
