"""A copy under rules: what is written of what was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kcl_processor.replicate.breaker import Breaker
from kcl_processor.replicate.change import Change
from kcl_processor.replicate.coalesce import coalesce
from kcl_processor.replicate.refusals import Refusals
from kcl_processor.table.laid_reader import lay
from kcl_processor.table.table_reader import Failed
from kcl_processor.transform.transform import Transform


@dataclass(slots=True)
class LaidTally:
    """What became of items that were read and not written; plain numbers.

    Attributes:
        outside: the rules leave them out.
        met: another item was laid to the same key behind them.
        failed: a rule failed for them, and they were set aside.
    """

    outside: int = 0
    met: int = 0
    failed: int = 0


class Laying:
    """Lays the items of a copy; an item whose rule fails goes where poison goes.

    Args:
        breaker: ends a copy whose rules fail for every item.
    """

    def __init__(self, transform: Transform, refusals: Refusals, breaker: Breaker) -> None:
        self.tally = LaidTally()
        self._transform = transform
        self._refusals = refusals
        self._breaker = breaker

    def laid(self, changes: Sequence[Change]) -> list[Change]:
        """What is to be written for items of the source, under distinct keys.

        Raises:
            PoisonError: a rule fails, and the task stops; or it fails for one item after another.
            OperatorError: an item cannot be set aside.
        """
        writes = list(self._writes(changes))
        last = coalesce(writes)
        self.tally.met += len(writes) - len(last)
        return last

    def _writes(self, changes: Sequence[Change]) -> Iterator[Change]:
        for change in changes:
            assert change.image is not None, "a scan shows no deletions"
            laid = lay(self._transform, change.key, change.image)
            if laid is None:
                self.tally.outside += 1
            elif isinstance(laid, Failed):
                self._breaker.rule_failed(change, laid.reason, self._refusals)
                self.tally.failed += 1
            else:
                self._breaker.accepted([change])
                yield Change(
                    laid.key, laid.image, change.sequence_number, change.created_ms, change
                )
