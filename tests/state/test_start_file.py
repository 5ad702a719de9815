"""A file that a daemon is started with is written once, and goes when nobody holds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kcl_processor.state.start_file import remove_unheld, write_held


def test_a_held_file_stays_and_any_other_goes(tmp_path: Path) -> None:
    """Held is what this process has open for what it becomes; a file left behind is not."""
    path = write_held(tmp_path / "new", ".txt", lambda path: path.name.encode())
    left = path.with_name("0.txt")
    left.write_text("")
    remove_unheld([path, left, path.with_name("missing.txt")])
    assert path.read_text() == path.name and not left.exists()
    assert list(path.parent.iterdir()) == [path]
    (descriptor,) = (
        int(name)
        for name in os.listdir("/proc/self/fd")
        if os.path.realpath(f"/proc/self/fd/{name}") == str(path)
    )
    os.close(descriptor)
    remove_unheld([path])
    assert not path.exists()


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """No half file that a reader could take for a whole one."""

    def breaks(_path: Path) -> bytes:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        write_held(tmp_path, ".txt", breaks)
    assert list(tmp_path.iterdir()) == []
