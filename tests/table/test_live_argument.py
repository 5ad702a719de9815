"""Why a copy may run beside the daemon: all that can happen, with and without its mends."""

from __future__ import annotations

import pytest

from tests.table.live_model import Mends, first_unequal


@pytest.mark.parametrize(
    ("changes", "rewinds", "ends"), [(3, 1, 1), (2, 2, 2), (3, 0, 2), (2, 1, 3)]
)
def test_whatever_happens_both_sides_rest_equal(changes: int, rewinds: int, ends: int) -> None:
    """The source changes, the daemon is behind or reads again, copies are killed and paused."""
    world, looked_at = first_unequal(Mends(), changes, rewinds, ends)
    assert looked_at > 5000
    assert not world.rests or world.is_equal, world


@pytest.mark.parametrize(
    ("missing", "changes", "ends"),
    [
        (Mends(looks=False), 1, 0),
        (Mends(looks_again=False), 2, 0),
        (Mends(writes_ahead=False), 1, 1),
        (Mends(lays_ahead=False), 2, 2),
        (Mends(fenced=False), 1, 2),
        (Mends(placed=False), 1, 0),
    ],
    ids=["looks", "looks again", "writes ahead", "lays ahead", "fenced", "placed"],
)
def test_without_any_of_its_mends_a_copy_leaves_a_difference(
    missing: Mends, changes: int, ends: int
) -> None:
    """The fewest changes and ends that show it: so each of them is needed."""
    world, _ = first_unequal(missing, changes, 0, ends)
    assert world.rests and not world.is_equal
