"""What must be true before a copy starts or goes on."""

from __future__ import annotations

import pytest

from kcl_processor.errors import ConfigError, GapError
from kcl_processor.table.copy_checks import refuse_slow, refuse_stale
from kcl_processor.table.copy_progress import CopyProgress
from kcl_processor.table.estimate import estimate


def test_twenty_hours_are_refused_with_what_to_change() -> None:
    """The message names the side that decides and by how much."""
    items = 1_000_000
    refuse_slow(estimate(items, items * 1024, 1000, items / (19.9 * 3600)))
    with pytest.raises(ConfigError, match=r"40\.0 h.*write capacity") as refused:
        refuse_slow(estimate(items, items * 1024, 1000, items / (40 * 3600)))
    assert "2.0 times" in refused.value.hint


def test_a_copy_that_began_a_day_ago_is_not_gone_on_with() -> None:
    """What changed in its first hour has left the stream."""
    progress = CopyProgress("s", "d", "stream", 60, 6000, started_at=0.0, segments=[])
    refuse_stale(progress, 22.9 * 3600)
    with pytest.raises(GapError, match=r"23\.1 h ago"):
        refuse_stale(progress, 23.1 * 3600)
