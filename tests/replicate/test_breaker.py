"""A destination that refuses everything ends the task."""

from __future__ import annotations

import pytest

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import DestinationError, ExitCode
from kcl_processor.replicate.breaker import MOST_REFUSALS, Breaker
from tests.fakes import INVALID, put, remove


def test_many_refusals_in_a_row_are_about_the_table() -> None:
    """The last of them raises; it names the table and the service's words, and no value."""
    breaker = Breaker("replica")
    answer = Answer(400, "ValidationException", "Type mismatch for Index Key secret-value")
    for _ in range(MOST_REFUSALS - 1):
        breaker.refused(put("a"), INVALID)
    with pytest.raises(DestinationError, match="replica refused the last 100") as raised:
        breaker.refused(put("a", name={"S": "secret-value"}), answer)
    assert raised.value.exit_code == ExitCode.DESTINATION
    assert "Type mismatch" in raised.value.message and "secret" not in raised.value.message


def test_an_accepted_change_proves_the_table() -> None:
    """However many items are refused: while others are accepted it is about the items."""
    breaker = Breaker("replica")
    for _ in range(3 * MOST_REFUSALS):
        breaker.refused(put("a"), INVALID)
        breaker.accepted([remove("b"), put("c")])


def test_an_accepted_deletion_proves_nothing() -> None:
    """What is wrong with every item is not wrong with a key."""
    breaker = Breaker("replica")
    for _ in range(MOST_REFUSALS - 1):
        breaker.refused(put("a"), INVALID)
        breaker.accepted([remove("b")])
    with pytest.raises(DestinationError, match="accepted no item between them"):
        breaker.refused(put("a"), INVALID)
