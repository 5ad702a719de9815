"""Coalescing: writing the last change of each key is writing them all."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from kcl_processor.replicate.change import Change
from kcl_processor.replicate.coalesce import coalesce
from tests.fakes import RecordingDestination, put, remove

names = st.sampled_from("abcdef")
changes = st.lists(
    st.one_of(
        st.builds(lambda n, v: put(n, v, v={"N": str(v)}), names, st.integers(0, 99)),
        st.builds(remove, names),
    )
)


def final_state(log: Iterable[Change]) -> dict[bytes, bytes]:
    destination = RecordingDestination()
    for change in log:
        destination.send([change], lambda: 1.0)
    return destination.items


@given(changes)
def test_the_coalesced_batch_leaves_the_state_that_the_whole_batch_leaves(
    log: list[Change],
) -> None:
    """For any batch, applying only what coalesce keeps ends in the same items."""
    assert final_state(coalesce(log)) == final_state(log)


@given(changes)
def test_keys_are_distinct_and_in_the_order_of_their_last_changes(log: list[Change]) -> None:
    """Each key comes once, and later changes stay behind earlier ones."""
    kept = coalesce(log)
    assert len({change.key for change in kept}) == len(kept)
    last = {change.key: place for place, change in enumerate(log)}
    assert [last[change.key] for change in kept] == sorted(last.values())
