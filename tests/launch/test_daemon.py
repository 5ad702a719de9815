"""The daemon of a task: its place on this host, its environment."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.launch.daemon import environment, is_running, lock_worker
from tests.kcl_tables import make_task


def test_a_worker_runs_once_on_a_host() -> None:
    """A second one of the same id would own the first one's leases; one of another id may run."""
    task = make_task()
    assert not is_running(task)
    with lock_worker(task) as lock:
        assert is_running(task)
        assert lock.get_inheritable(), "the lock must outlast the exec of Java"
        with pytest.raises(OperatorError, match=r"already runs .* worker-1") as raised:
            lock_worker(task)
        assert raised.value.exit_code == ExitCode.CONFIG
        lock_worker(replace(task, kcl=replace(task.kcl, worker_id="worker-2"))).close()
    assert not is_running(task)


def test_the_daemon_finds_this_pythons_record_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its programs come first on the PATH; what an operator set stays."""
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "7")
    found = environment()
    assert found["PATH"] == f"{Path(sys.executable).parent}{os.pathsep}/usr/bin"
    assert found["MALLOC_ARENA_MAX"] == "7"
    monkeypatch.delenv("MALLOC_ARENA_MAX")
    assert environment()["MALLOC_ARENA_MAX"] == "2"
