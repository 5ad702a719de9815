"""Where a task keeps its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.paths import (
    RENDERED,
    TaskFiles,
    is_queue,
    letters_beside,
    settled,
    state_directory,
)
from tests.kcl_tables import make_task
from tests.spelled import spelled

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
    "place", ["https://sqs.eu-west-1.amazonaws.com/1/letters", "arn:aws:sqs:eu-west-1:1:letters"]
)
def test_letters_may_go_to_a_queue(place: str) -> None:
    """It leaves the file of this host where it would be otherwise."""
    files, plain = (
        TaskFiles(replace(make_task(), name="t", dead_letters=where), Path("/state"))
        for where in (place, None)
    )
    assert is_queue(place)
    assert (files.dead_letters, files.letter_file) == (place, plain.letter_file)


@pytest.mark.parametrize(
    ("given", "file"),
    [
        ("/var/lib/letters", "/var/lib/letters"),
        ("letters.jsonl", "/state/letters.jsonl"),
        ("set-aside/letters.jsonl", "/state/set-aside/letters.jsonl"),
    ],
)
def test_letters_go_to_one_file_wherever_a_command_is_typed(given: str, file: str) -> None:
    """The daemon writes in its working directory, and whoever asks for them stands in another."""
    files = TaskFiles(replace(make_task(), dead_letters=given), Path("/state"))
    assert not is_queue(given)
    assert (files.dead_letters, files.letter_file) == (file, Path(file))


def test_a_file_of_gaps_leads_to_the_dead_letters() -> None:
    """For a record processor that was told of the former alone."""
    files = TaskFiles(make_task(), Path("/state"))
    assert letters_beside(files.gaps, files.task.name) == files.letter_file


def test_no_other_module_makes_a_name() -> None:
    """A name that is made twice is one day two names."""
    files = TaskFiles(make_task(), Path("/state"))
    known = (files.owner, files.ending, files.letter_file, files.gaps, files.copy_progress)
    made = {path.name.removeprefix(f"{files.task.name}.") for path in (*known, files.starts)}
    made |= {f".{name}" for name in made} | {RENDERED, settled(Path("x")).suffix}
    assert len(made) == 2 * 6 + 2
    assert spelled(made) == {"config/paths"}


def test_no_two_files_share_a_name() -> None:
    """Nor do those of two tasks."""
    tasks = [make_task(), make_task()]
    names = [
        path
        for files in (TaskFiles(task, Path("/state")) for task in tasks)
        for path in (
            *(files.owner, files.heartbeats, files.letter_file, settled(files.letter_file)),
            *(files.gaps, files.copy_progress, files.starts, files.lock, files.saved_leases(1.0)),
            *(files.ending, files.lag_history),
        )
    ]
    assert len(set(names)) == len(names) == 22


def test_what_is_there_is_told_with_what_it_holds(tmp_path: Path) -> None:
    """Leases that a reset saved, too; and nothing of another task."""
    files, other = TaskFiles(make_task(), tmp_path), TaskFiles(make_task(), tmp_path)
    for path in (files.gaps, files.saved_leases(1.0), files.saved_leases(2.0), other.gaps):
        path.write_text("")
    found = dict(files.existing())
    assert found.keys() == {files.gaps, files.saved_leases(1.0), files.saved_leases(2.0)}
    assert found[files.gaps] == "gaps that were passed"
