"""Ends in words: what ended, how, why, and what to type next."""

from __future__ import annotations

from pathlib import Path

from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.task import with_worker
from kcl_processor.launch.daemon import lock_worker
from kcl_processor.operate.endings import last_endings, words, worth_telling
from kcl_processor.state.ending import Ending
from tests.kcl_tables import make_task
from tests.launcher_notes import note_end

DAY = 86_400.0
AT = 1_700_000_000.0


def ended(files: TaskFiles, worker: str, at: float) -> TaskFiles:
    """The files of a worker that ended at some time."""
    each = TaskFiles(with_worker(files.task, worker, "here"), files.state)
    note_end(each, at)
    return each


def test_the_last_end_comes_first_and_who_runs_has_none(tmp_path: Path) -> None:
    """Every worker that ever ran on this host is looked for."""
    files = TaskFiles(make_task(), tmp_path)
    assert last_endings(files) == []
    runs = ended(files, "runs", 300)
    for worker, at in (("first", 100), ("last", 200)):
        ended(files, worker, at)
    with lock_worker(runs.task):
        assert [end.worker for end in last_endings(files)] == ["last", "first"]
    assert [end.worker for end in last_endings(files)] == ["runs", "last", "first"]


def test_the_last_end_is_told_and_failures_of_the_last_day() -> None:
    """Beside a worker that runs, a stop needs no line, nor does what is long ago."""
    failed, stopped = Ending("a", AT - 10, 8), Ending("b", AT - 20, 0)
    killed, old = Ending("c", AT - 30), Ending("d", AT - 2 * DAY, 1)
    every = [failed, stopped, killed, old]
    assert worth_telling(every, AT, running=True) == [failed, killed]
    assert worth_telling([stopped, killed, old], AT, running=False) == [stopped, killed]
    assert worth_telling([old], AT, running=False) == [old]
    assert worth_telling([old], AT, running=True) == []


def test_an_end_is_told_with_what_to_type() -> None:
    """What failed said it, or it is the next start."""
    refused = Ending("w", AT, 8, "Table t never accepts it.", "mend it")
    assert words("orders", refused) == (
        "worker w ended here at 2023-11-14T22:13:20Z with 8, the destination never accepts an "
        "item: Table t never accepts it. Try: mend it"
    )
    assert words("orders", Ending("w", AT, 0)) == (
        "worker w ended here at 2023-11-14T22:13:20Z with 0, stopped as asked. "
        "Try: kcl-processor run --workerId w orders"
    )
    assert "ended without a word" in words("orders", Ending("w", AT))
    assert "with 99, an exit code that means nothing" in words("orders", Ending("w", AT, 99))
