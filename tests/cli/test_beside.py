"""The copy that `start` sets beside its daemon."""

from __future__ import annotations

import argparse
import os
import subprocess
from typing import Any

import pytest

from kcl_processor.cli.beside import DaemonsHalt, set_beside
from kcl_processor.cli.copy import add_arguments
from kcl_processor.table.pace import Halted
from tests.kcl_tables import make_task


def test_a_copy_ends_with_the_daemon_that_it_is_the_child_of() -> None:
    """As soon as it waits for anything; its own processes are told by it."""
    DaemonsHalt(os.getppid()).wait(0)
    with pytest.raises(Halted):
        DaemonsHalt(1 if os.getppid() != 1 else 2).wait(0)


def test_it_is_asked_for_as_start_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its file, folder, limits and task; its process is this one's child."""
    made: list[list[str]] = []

    def popen(command: list[str], **_: Any) -> None:
        made.append(command)

    monkeypatch.setattr(subprocess, "Popen", popen)
    given = argparse.Namespace(
        config="tasks.yml", state_dir=None, segments=8, processes=None, max_rcu="50%", max_wcu=None
    )
    task = make_task()
    set_beside(given, task)
    (command,) = made
    words = command[command.index("copy") + 1 :]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(words)
    assert (args.live, str(args.config), args.task) == (True, "tasks.yml", task.name)
    assert (args.segments, args.max_rcu, args.max_wcu) == (8, "50%", None)
    assert args.beside == os.getpid()
