"""A copy under rules: what is written of what was read, and what is told of the rest."""

from __future__ import annotations

import orjson
import pytest

from kcl_processor.errors import PoisonError
from kcl_processor.replicate.breaker import MOST_REFUSALS
from kcl_processor.replicate.change import Change
from kcl_processor.table.copy_laying import LaidTally
from tests.table.ruled import FILTER, JOINED, MET, MOVING, Refused, item, key_of, laying


def read(*items: dict[str, object]) -> list[Change]:
    """Items as a page has them."""
    return [Change(key_of(one), orjson.dumps(one), "0", 0) for one in items]


def test_what_is_written_knows_what_it_was_made_of() -> None:
    """So a dead letter can hold the source's key and image."""
    (change,) = read(item("a", 1))
    (laid,) = laying(JOINED).laid([change])
    assert (laid.key, laid.source) == (b'{"pk":{"S":"a#1"}}', change)
    assert laid.image and orjson.loads(laid.image)["pk"] == {"S": "a#1"}


def test_what_the_rules_leave_out_is_counted() -> None:
    """Read, and not written."""
    copying = laying(FILTER)
    (laid,) = copying.laid(read(item("a", 1, "draft"), item("a", 2)))
    assert laid.image and b"card" not in laid.image
    assert copying.tally == LaidTally(outside=1)


def test_of_items_that_meet_in_one_key_the_last_is_written() -> None:
    """A request takes no key twice."""
    copying = laying(MET)
    laid = copying.laid(read(item("a", 1), item("b", 1), item("a", 2)))
    assert [change.key for change in laid] == [b'{"pk":{"S":"b"}}', b'{"pk":{"S":"a"}}']
    assert laid[1].source and laid[1].source.key == key_of(item("a", 2))
    assert copying.tally == LaidTally(met=1)


def test_an_item_whose_rule_fails_is_set_aside_as_the_source_has_it() -> None:
    """The others are written."""
    refused = Refused()
    copying = laying(MOVING, refused)
    bad = read({**item("a", 1), "status": {"L": []}})
    assert len(copying.laid([*bad, *read(item("a", 2))])) == 1
    assert refused.changes == bad
    assert copying.tally == LaidTally(failed=1)


def test_a_rule_that_fails_for_every_item_ends_the_copy() -> None:
    """It would set the whole table aside."""
    bad = [{**item("a", number), "status": {"L": []}} for number in range(MOST_REFUSALS)]
    with pytest.raises(PoisonError, match="rules failed for the last"):
        laying(MOVING).laid(read(*bad))
