"""A host without room or with another time is found before a start."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.operate import host


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    """Room alone is not enough."""
    (tmp_path / "file").write_text("in the way")
    logs = host.room("logs", tmp_path / "file")
    assert (logs.text, logs.result) == (f"logs: {tmp_path / 'file'} cannot be written", "fail")
    assert "--log-dir" in logs.hint


def test_a_folder_that_a_start_makes_is_looked_for_above(tmp_path: Path) -> None:
    """What is there already has the room."""
    assert host.room("state", tmp_path / "new" / "state").text.endswith(f"free at {tmp_path}")


@pytest.mark.parametrize(
    ("seconds", "result"), [(-9.0, "ok"), (11.0, "warn"), (-200.0, "warn"), (241.0, "fail")]
)
def test_a_clock_may_be_wrong_by_seconds(seconds: float, result: str) -> None:
    """Far below the five minutes at which AWS refuses a signature, a person is told."""
    assert host.skew(seconds).result == result
