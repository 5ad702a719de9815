"""A task's files are its own: another task of its name is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
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


def test_another_worker_is_no_other_task(tmp_path: Path) -> None:
    """Workers of one task share its dead letters, gaps and progress."""
    task = make_task()
    own(owned_files(task, tmp_path))
    own(owned_files(replace(task, kcl=replace(task.kcl, worker_id="worker-2")), tmp_path))


def test_a_note_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    """Not taken for one's own."""
    task = make_task()
    (tmp_path / f"{task.name}.owner.json").write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        owned_files(task, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/.*cannot be (read|written)"):
        own(owned_files(task, tmp_path / "file"))
