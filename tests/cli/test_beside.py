"""What is set beside a daemon: the copy of `start`, and whoever heals."""

from __future__ import annotations

import argparse
import os
import subprocess
from typing import Any

import pytest

from kcl_processor.cli import copy, heal
from kcl_processor.cli.beside import DaemonsHalt, healer, set_beside
from kcl_processor.table.pace import Halted
from tests.kcl_tables import make_task


def test_a_copy_ends_with_the_daemon_that_it_is_the_child_of() -> None:
    """As soon as it waits for anything; its own processes are told by it."""
    DaemonsHalt(os.getppid()).wait(0)
    with pytest.raises(Halted):
        DaemonsHalt(1 if os.getppid() != 1 else 2).wait(0)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of the processes that are started."""
    made: list[list[str]] = []

    def popen(command: list[str], **_: Any) -> None:
        made.append(command)

    monkeypatch.setattr(subprocess, "Popen", popen)
    return made


def test_who_heals_is_asked_for_as_the_daemon_was() -> None:
    """With its file, folder and task; its process is the child of what this one becomes."""
    task = make_task()
    command = healer(argparse.Namespace(config="tasks.yml", state_dir="there"), task)
    parser = argparse.ArgumentParser()
    heal.add_arguments(parser)
    args = parser.parse_args(command[command.index("heal") + 1 :])
    assert (str(args.config), args.state_dir, args.task) == ("tasks.yml", "there", task.name)
    assert args.beside == os.getpid() and args.bucket is None


def test_it_is_asked_for_as_start_was(made: list[list[str]]) -> None:
    """With its file, folder, limits and task; its process is this one's child."""
    given = argparse.Namespace(
        config="tasks.yml", state_dir=None, segments=8, processes=None, max_rcu="50%", max_wcu=None
    )
    task = make_task()
    set_beside(given, task)
    (command,) = made
    words = command[command.index("copy") + 1 :]
    parser = argparse.ArgumentParser()
    copy.add_arguments(parser)
    args = parser.parse_args(words)
    assert (args.live, str(args.config), args.task) == (True, "tasks.yml", task.name)
    assert (args.segments, args.max_rcu, args.max_wcu) == (8, "50%", None)
    assert args.beside == os.getpid()
