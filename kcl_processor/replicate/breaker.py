"""Ends a task all of whose changes are refused: then the table or a rule is at fault, no item.

DynamoDB words what is wrong with a table, such as an index that no item fits any more, like what
is wrong with one item. With ``on_poison: dead-letter`` everything would be set aside.
"""

from __future__ import annotations

from collections.abc import Iterable

from kcl_processor.aws.wire import Answer
from kcl_processor.errors import DestinationError, PoisonError
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.refusals import RULE_FAILED, Refusals, without_values

# Refusals in a row, without an item that was accepted: four full requests.
MOST_REFUSALS = 100


class Breaker:
    """Counts refusals in a row.

    Args:
        table: the destination table, for the error.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._refusals = 0

    def accepted(self, changes: Iterable[Change]) -> None:
        """The destination took these. A deletion proves nothing: an index that no item fits takes
        every one."""
        if any(change.image is not None for change in changes):
            self._refusals = 0

    def rule_failed(self, change: Change, reason: str, refusals: Refusals) -> None:
        """A rule fails for the item of a change, which goes where refused ones go.

        Raises:
            PoisonError: the task stops on it, or rules fail for one item after another.
            OperatorError: it cannot be set aside.
        """
        answer = Answer(0, RULE_FAILED, reason)
        refusals.refuse(change, answer)
        self.refused(change, answer)

    def refused(self, change: Change, answer: Answer) -> None:
        """The destination refused a change for good, and it was set aside.

        Raises:
            DestinationError: so it did with so many before that the table must be the reason.
            PoisonError: so did a rule.
        """
        self._refusals += 1
        if self._refusals < MOST_REFUSALS:
            return
        if answer.error == RULE_FAILED:
            raise PoisonError(
                f"The rules failed for the last {self._refusals} changes, and for no item between "
                f"them did they not: {answer.message}.",
                "mend the rule, then start, which says how to go on with another; kcl-processor "
                "replay applies what was set aside",
            )
        raise DestinationError(
            f"The destination table {self._table} refused the last {self._refusals} changes and "
            f"accepted no item between them: that is about the table, not about the items "
            f"({answer.error}: {without_values(answer.message, change)}).",
            "compare the table and its indexes with the source's, mend them, then start again; "
            "kcl-processor replay applies what was set aside",
        )
