"""The pause before a daemon that keeps crashing."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.state.restarts import pause_before_start


def test_a_daemon_that_keeps_crashing_is_started_ever_later(tmp_path: Path) -> None:
    """Nothing before the first start, then doubling, a minute at most."""
    path, now, pauses = tmp_path / "state" / "starts.json", 1000.0, []
    for _ in range(9):
        pauses.append(pause_before_start(path, now))
        now += pauses[-1] + 5
    assert pauses == [0, 1, 3, 7, 15, 31, 60, 60, 60]


@pytest.mark.parametrize(
    "note",
    [
        *(None, "", "[]", "{}", '{"starts": 5, "last": 0}'),
        *('{"starts": 1e999, "last": 1e9}', '{"starts": -7, "last": 1e9}'),
    ],
)
def test_after_a_long_run_a_restart_is_immediate(tmp_path: Path, note: str | None) -> None:
    """A note that is old or cannot be read costs no pause."""
    path = tmp_path / "starts.json"
    if note is not None:
        path.write_text(note)
    assert pause_before_start(path, 1e9) == 0
    assert pause_before_start(path, 1e9 + 601) == 0
    assert pause_before_start(path, 1e9 + 700) == 1


def test_a_note_that_cannot_be_written_is_no_reason_not_to_start(tmp_path: Path) -> None:
    """A full disk must not keep a daemon down."""
    (tmp_path / "file").write_text("")
    assert pause_before_start(tmp_path / "file" / "starts.json", 1e9) == 0
