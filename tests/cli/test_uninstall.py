"""`uninstall` lists what is to be deleted."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from kcl_processor.cli.uninstall import refuse_living
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.fleet.running import StillRunning
from kcl_processor.launch import daemon
from kcl_processor.launch.copy_mark import CopyMark, read_mark, replace_mark
from kcl_processor.table.copy_task import lock_copy
from kcl_processor.table.table_reader import Segment
from tests.cli.ask import Ask
from tests.fakes import HandClock, turning
from tests.kcl_tables import fill, rows_in, snapshot


def test_without_yes_everything_stays(ask: Ask, file: Path) -> None:
    """It lists what it would delete."""
    task = load_tasks(file)[0]
    client = fill(task, [])
    assert "3 not deleted" in ask("uninstall").out
    assert [row["kind"] for row in json.loads(ask("uninstall", "--json").out)] == ["table"] * 3
    assert rows_in(client, task.kcl.application_name) == []


def test_where_nothing_is_left_nothing_is_advised(ask: Ask) -> None:
    assert ask("uninstall").out.splitlines()[-1] == "0 deleted."


def test_what_has_only_just_started_here_keeps_its_tables(ask: Ask, file: Path) -> None:
    """Nor does a daemon or a copy that a signal has stopped move anything in KCL's tables."""
    task = load_tasks(file)[0]
    client = fill(task, [])
    with daemon.lock_worker(task):
        code, _, told = ask("uninstall", "--yes")
    assert code == ExitCode.CONFIG and task.kcl.worker_id in told
    assert rows_in(client, task.kcl.application_name) == []


def test_a_part_of_a_copy_that_shows_nothing_keeps_its_tables(ask: Ask, file: Path) -> None:
    """A part holds no worker's name; it is new and has no mark yet, or a signal has stopped it."""
    task = load_tasks(file)[0]
    client = fill(task, [])
    with lock_copy(task, Segment(1, 3)):
        code, _, told = ask("uninstall", "--yes")
    assert code == ExitCode.CONFIG and "is at work on this host" in told
    assert rows_in(client, task.kcl.application_name) == []


def test_whoever_starts_here_while_others_are_watched_is_seen(file: Path, tmp_path: Path) -> None:
    """It moves nothing in KCL's tables until it has checked its own side."""
    task = load_tasks(file)[0]
    fill(task, *snapshot("two-workers"))
    clock, files, started = HandClock(), TaskFiles(task, tmp_path), ExitStack()

    def start() -> None:
        with suppress(OperatorError):
            started.enter_context(daemon.lock_worker(task))

    with started, pytest.raises(StillRunning, match="on this host"):
        refuse_living(files, clock, turning(clock, start))


def test_a_copy_at_work_keeps_its_tables(ask: Ask, file: Path) -> None:
    """Without its mark a daemon would start over what it has left half done."""
    task = load_tasks(file)[0]
    client = fill(task, [])
    assert replace_mark(task, None, CopyMark.begun("token", 1.0, 2.0, forced=False))
    ended = threading.Event()

    def copy() -> None:
        while not ended.wait(0.5):
            mark = read_mark(task)
            assert mark and replace_mark(task, mark, mark.now(mark.state, mark.beat_at + 5))

    with ThreadPoolExecutor() as pool:
        copying = pool.submit(copy)
        try:
            code, _, told = ask("uninstall", "--yes")
        finally:
            ended.set()
        copying.result()
    assert code == ExitCode.CONFIG and "at work on" in told
    assert rows_in(client, task.kcl.application_name) == [] and read_mark(task)
