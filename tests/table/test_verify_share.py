"""What one of a verification's processes finds and makes good."""

from __future__ import annotations

from typing import Any, cast

from kcl_processor.aws.wire import Answer
from kcl_processor.clock import SystemClock
from kcl_processor.table.crew import Link
from kcl_processor.table.pace import Halt
from kcl_processor.table.patience import Refused
from kcl_processor.table.repair import Outcome, Repair
from kcl_processor.table.sides import Kind, LaidSides
from kcl_processor.table.verify_share import Compared, Found, SegmentResult, VerifyShare
from tests.table.memory import WHOLE, Calls, Table
from tests.table.ruled import PK, UNTRACEABLE, copied, item, key_of, table, transform


class Heard:
    """The other end of a link."""

    def __init__(self) -> None:
        self.outcomes: dict[Kind, Any] = {}
        self.result = SegmentResult(-1)

    def tell(self, report: object) -> None:
        match report:
            case Found(difference, outcome):
                self.outcomes[difference.kind] = outcome
            case Compared(results):
                self.result = (results or [self.result])[-1]


class NeverAccepts(Calls):
    """A destination that takes no item."""

    def call(self, *_: Any) -> Answer:
        raise Refused("it is too large", "set it aside")


def test_what_was_no_difference_and_is_gone_makes_none_good() -> None:
    """What could not be traced goes before a repair looks at it; the item that is refused is a
    difference still."""
    source = table([item("a", 1), item("b", 2)])
    stray = key_of({"pk": {"S": "z#9"}}, PK)
    held = copied(table([item("a", 1)]), UNTRACEABLE).items
    destination = Table({**held, stray: b'{"pk":{"S":"z#9"}}'})
    looks = iter((False, True))

    def look() -> None:
        if next(looks, False):
            del destination.items[stray]

    destination.before_get = look
    sides = LaidSides(source, destination, transform(UNTRACEABLE), keeps=False)
    repair = Repair(sides, NeverAccepts(destination), delete_extra=True, dry_run=False)
    heard = Heard()
    VerifyShare(sides, repair, [WHOLE], 0.0, 1, Halt(), SystemClock()).work(cast("Link", heard))
    assert heard.outcomes == {Kind.UNTRACED: Outcome.SETTLED, Kind.MISSING: Outcome.REFUSED}
    assert heard.result.differing == 1
