"""Gaps that were passed: noted in one form, read by whoever asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcl_processor.errors import ConfigError
from kcl_processor.state.gaps import Gap, note_gap, noted_gaps, open_gaps, settle_gap


def test_a_gap_is_read_as_it_was_noted(tmp_path: Path) -> None:
    """One line a gap, in their order; unknown times stay unknown."""
    path = tmp_path / "gaps.jsonl"
    shard = Gap(1_700_000_000.5, "shardId-1", "17", "2023-11-14T22:00:00Z", None, "trimmed")
    stream = Gap(1_700_000_001.0, None, "arn:old", None, "2023-11-14T23:00:00.000Z", "made anew")
    note_gap(path, shard)
    note_gap(path, stream)
    assert list(noted_gaps(path)) == [shard, stream]


def test_what_is_no_gap_is_passed_over(tmp_path: Path) -> None:
    """A torn line, a number, a list, a line without a time; and no file is no gap."""
    path = tmp_path / "gaps.jsonl"
    note_gap(path, Gap(1_700_000_000.0, "shardId-1", "17", None, None, "trimmed"))
    with path.open("a") as file:
        file.write('17\n[1]\n{"shard": "shardId-1"}\n{"shard"')
    assert len(list(noted_gaps(path))) == 1
    assert list(noted_gaps(tmp_path / "none")) == []


def test_a_file_that_cannot_be_read_is_not_empty(tmp_path: Path) -> None:
    """There may be gaps in it; whoever asks is told which file it is."""
    with pytest.raises(ConfigError, match=f"The gaps in {tmp_path} cannot be read"):
        open_gaps(tmp_path)


def test_a_healed_gap_is_open_no_more(tmp_path: Path) -> None:
    """The note itself stays; two gaps of one shard are two."""
    path = tmp_path / "gaps.jsonl"
    first = Gap(1_700_000_000.0, "shardId-1", "17", None, None, "trimmed")
    second = Gap(1_700_000_001.0, "shardId-1", "18", None, None, "trimmed")
    note_gap(path, first)
    note_gap(path, second)
    settle_gap(path, first)
    assert open_gaps(path) == [second] and list(noted_gaps(path)) == [first, second]


def test_a_note_of_what_is_settled_may_be_torn(tmp_path: Path) -> None:
    """A byte that is no text settles nothing, and hides nothing."""
    path = tmp_path / "gaps"
    gap = Gap(0.0, "shard-1", "17", None, None, "trimmed")
    note_gap(path, gap)
    (tmp_path / "gaps.settled").write_bytes(b"\xff\xfe\n")
    assert len(open_gaps(path)) == 1
    settle_gap(path, gap)
    assert open_gaps(path) == []
