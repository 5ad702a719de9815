"""Files that survive a kill: a line whole, a file whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.state.durable import append_line, new_file, replace_file


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """For its owner's eyes, and nothing else is left in the folder."""
    path = tmp_path / "made" / "file"
    replace_file(path, b"a longer one")
    replace_file(path, b"short", flush=False)
    assert path.read_bytes() == b"short"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    """Each that was missing, also those above; one that was there keeps its mode."""
    there = tmp_path / "there"
    there.mkdir(0o755)
    replace_file(there / "state" / "workers" / "file", b"content")
    modes = [path.stat().st_mode & 0o777 for path in (there / "state", there / "state/workers")]
    assert modes == [0o700, 0o700]
    assert there.stat().st_mode & 0o777 == 0o755


def test_a_new_file_is_never_over_another(tmp_path: Path) -> None:
    """For its owner's eyes; what was there stays as it was."""
    path = tmp_path / "made" / "file"
    new_file(path, b"first")
    with pytest.raises(FileExistsError):
        new_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_replaced_stays(tmp_path: Path) -> None:
    """The error is raised, and what was begun is removed."""
    (tmp_path / "folder" / "file").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        replace_file(tmp_path / "folder", b"content")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]
    assert list((tmp_path / "folder").iterdir()) == [tmp_path / "folder" / "file"]


def test_lines_are_appended_in_order(tmp_path: Path) -> None:
    """For their owner's eyes, in a folder that is made."""
    path = tmp_path / "made" / "lines"
    append_line(path, b"one\n")
    append_line(path, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_line_that_finds_no_room_is_an_error() -> None:
    """Never a line that is only thought to be there."""
    with pytest.raises(OSError, match="No space left"):
        append_line(Path("/dev/full"), b"one\n")
