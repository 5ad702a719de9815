"""A task's files are its own: another task of its name is refused."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.config.access import Access
from kcl_processor.errors import ConfigError, ExitCode, OperatorError
from kcl_processor.state.owner import own, owned_files
from tests.kcl_tables import make_task


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [("us-east-1", "http://x"), ("us-east-1", None), ("x", "http://127.0.0.1:9")],
)
def test_a_namesake_is_refused_with_what_to_type(
    tmp_path: Path, region: str, endpoint: str | None
) -> None:
    """Another region or endpoint of the checkpoints is another task: both are named."""
    task = make_task()
    own(owned_files(task, tmp_path))
    own(owned_files(task, tmp_path))
    namesake = replace(task, kcl=replace(task.kcl, region=region, endpoint=endpoint))
    with pytest.raises(ConfigError, match="belong to another task of that name") as raised:
        owned_files(namesake, tmp_path)
    assert "--state-dir" in raised.value.hint and task.kcl.application_name in raised.value.message
    assert owned_files(namesake, tmp_path / "another").state == tmp_path / "another"


def test_a_namesake_of_another_account_is_refused(tmp_path: Path) -> None:
    """Its tables have the same names; a note of an earlier version does not say whose it is."""
    task = make_task()
    one, two = (
        replace(task, kcl=replace(task.kcl, access=Access(profile=name))) for name in ("one", "two")
    )
    own(owned_files(one, tmp_path))
    with pytest.raises(ConfigError, match=r"of one, and this task's is .* of two"):
        owned_files(two, tmp_path)
    note = owned_files(one, tmp_path).owner
    earlier = json.loads(note.read_text())
    del earlier["whose"]
    note.write_text(json.dumps(earlier))
    own(owned_files(two, tmp_path))


def test_another_worker_is_no_other_task(tmp_path: Path) -> None:
    """Workers of one task share its dead letters, gaps and progress."""
    task = make_task()
    own(owned_files(task, tmp_path))
    own(owned_files(replace(task, kcl=replace(task.kcl, worker_id="worker-2")), tmp_path))


@pytest.mark.parametrize("text", ["{", "[]", '"orders"', "ü"])
def test_a_note_that_says_nothing_is_named_with_what_to_type(tmp_path: Path, text: str) -> None:
    """The files are not taken for one's own, and a person decides whose they are."""
    task = make_task()
    note = tmp_path / f"{task.name}.owner.json"
    note.write_text(text, encoding="iso-8859-1")
    with pytest.raises(ConfigError, match="does not say whose") as raised:
        owned_files(task, tmp_path)
    assert raised.value.hint.startswith(f"rm {note}, if they are its own")


def test_a_folder_that_cannot_hold_a_note_is_named(tmp_path: Path) -> None:
    """Another one is what helps."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/.*cannot be read: Not a directory") as raised:
        own(owned_files(make_task(), tmp_path / "file"))
    assert raised.value.hint == "--state-dir with a folder of yours"


def test_a_note_that_has_no_room_is_worth_another_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk passes; for a matter of configuration a supervisor would leave a host's first
    daemon stopped."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OperatorError, match="cannot be written: No space left") as refused:
        own(owned_files(make_task(), tmp_path))
    assert refused.value.exit_code == ExitCode.CRASH
