"""The heap's bound follows the memory that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.launcher.memory import heap_mb

MB = 1 << 20


@pytest.mark.parametrize(
    ("name", "limit", "heap"),
    [
        ("memory.max", 512 * MB, 256),
        ("memory.max", 1600 * MB, 400),
        ("memory/memory.limit_in_bytes", 1600 * MB, 400),
    ],
)
def test_a_quarter_of_what_a_container_may_take(
    tmp_path: Path, name: str, limit: int, heap: int
) -> None:
    """Of either version of cgroups, and never less than one shard needs."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(f"{limit}\n")
    assert heap_mb(tmp_path) == heap


def test_without_a_limit_the_machine_is_the_limit(tmp_path: Path) -> None:
    """Within bounds: more than many shards hold is of no use."""
    (tmp_path / "memory.max").write_text("max\n")
    assert heap_mb(tmp_path) == heap_mb(tmp_path / "none")
    assert 256 <= heap_mb(tmp_path) <= 2048
