"""This product's rows beside KCL's own are replaced only as they were read."""

from __future__ import annotations

from kcl_processor.fleet.own_rows import read_own, replace_own
from tests.kcl_tables import fill, make_task

ONE, TWO = {"state": {"S": "one"}, "at": {"N": "1"}}, {"state": {"S": "two"}}


def test_a_row_is_made_replaced_and_removed_as_it_was_read(moto_url: str) -> None:
    """Whoever read something else is told so, and changes nothing."""
    task = make_task(moto_url)
    assert read_own(task, "Key") is None, "there is no table yet"
    fill(task, [])
    assert read_own(task, "Key") is None
    assert replace_own(task, "Key", None, ONE)
    assert not replace_own(task, "Key", None, TWO), "somebody else made one"
    assert not replace_own(task, "Key", TWO, None)
    assert read_own(task, "Key") == ONE
    assert replace_own(task, "Key", ONE, TWO)
    assert read_own(task, "Key") == TWO and read_own(task, "Other") is None
    assert replace_own(task, "Key", TWO, None)
    assert read_own(task, "Key") is None
