"""The source's table as the replica is to hold it."""

from __future__ import annotations

from kcl_processor.table.laid_reader import LaidReader
from kcl_processor.table.table_reader import Failed, Item
from tests.table.memory import WHOLE
from tests.table.ruled import FILTER, MOVING, item, key_of, table, transform

BAD = {**item("a", 3), "status": {"L": []}}


def test_a_page_tells_what_is_laid_what_is_left_out_and_what_fails() -> None:
    """All together are what the table had in it."""
    page = LaidReader(table([item("a", 1), item("a", 2, "draft")]), transform(FILTER)).page(
        WHOLE, None
    )
    (laid,) = page.items
    assert (laid.key, laid.origin) == (key_of(item("a", 1)), key_of(item("a", 1)))
    assert b"card" not in laid.image
    assert (page.outside, page.failed, page.read) == (1, [], 2)
    page = LaidReader(table([BAD]), transform(MOVING)).page(WHOLE, None)
    assert [failed.key for failed in page.failed] == [key_of(BAD)]
    assert "4111" not in page.failed[0].reason
    assert page.read == 1


def test_items_are_read_by_their_own_keys_and_come_laid() -> None:
    """One that is not there is left out, one outside the rules is none."""
    there, outside, gone = item("a", 1), {**item("a", 2), "total": {"NULL": True}}, item("a", 9)
    reader = LaidReader(table([there, outside, BAD]), transform(MOVING))
    found = reader.get([key_of(one) for one in (there, outside, gone, BAD)])
    assert found.keys() == {key_of(there), key_of(outside), key_of(BAD)}
    laid = found[key_of(there)]
    assert isinstance(laid, Item) and laid.key == b'{"pk":{"S":"a#1#open"}}'
    assert found[key_of(outside)] is None
    assert isinstance(found[key_of(BAD)], Failed)
