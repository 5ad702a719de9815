"""Where a task keeps its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.paths import TaskFiles, is_queue, settled, state_directory
from tests.kcl_tables import make_task

PLACES = ("XDG_STATE_HOME", "STATE_DIRECTORY", "KCL_PROCESSOR_STATE")


def test_the_nearest_wish_decides_where_state_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, our variable, systemd's, XDG's, the home: in this order."""
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)
    assert state_directory(None) == Path.home() / ".local" / "state" / "kcl-processor"
    for name, expected in zip(PLACES, ("/xdg/kcl-processor", "/systemd", "/ours"), strict=True):
        monkeypatch.setenv(name, {"XDG_STATE_HOME": "/xdg"}.get(name, expected))
        assert state_directory(None) == Path(expected)
    assert state_directory("given") == Path.cwd() / "given"


@pytest.mark.parametrize(
    ("place", "queue"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/1/letters", True),
        ("arn:aws:sqs:eu-west-1:1:letters", True),
        ("/var/lib/letters", False),
        ("letters.jsonl", False),
    ],
)
def test_letters_go_to_a_queue_or_to_a_file(place: str, *, queue: bool) -> None:
    """A queue leaves the file of this host where it would be otherwise."""
    files = TaskFiles(replace(make_task(), dead_letters=place), Path("/state"))
    assert is_queue(place) is queue
    assert files.dead_letters == place
    assert (files.letter_file.parent == Path("/state")) is queue


def test_no_two_files_share_a_name() -> None:
    """Nor do those of two tasks."""
    tasks = [make_task(), make_task()]
    names = [
        path
        for files in (TaskFiles(task, Path("/state")) for task in tasks)
        for path in (
            *(files.owner, files.heartbeats, files.letter_file, settled(files.letter_file)),
            *(files.gaps, files.copy_progress, files.starts, files.lock, files.saved_leases(1.0)),
            files.ending,
        )
    ]
    assert len(set(names)) == len(names) == 20


def test_what_is_there_is_told_with_what_it_holds(tmp_path: Path) -> None:
    """Leases that a reset saved, too; and nothing of another task."""
    files, other = TaskFiles(make_task(), tmp_path), TaskFiles(make_task(), tmp_path)
    for path in (files.gaps, files.saved_leases(1.0), files.saved_leases(2.0), other.gaps):
        path.write_text("")
    found = dict(files.existing())
    assert found.keys() == {files.gaps, files.saved_leases(1.0), files.saved_leases(2.0)}
    assert found[files.gaps] == "gaps that were passed"
