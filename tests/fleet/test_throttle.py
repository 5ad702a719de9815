"""Workers that are throttled say so in their own rows, beside KCL's state."""

from __future__ import annotations

from kcl_processor.fleet.coordinator import PRESENCE
from kcl_processor.fleet.leases import KclRows
from kcl_processor.fleet.own_rows import Row
from kcl_processor.fleet.throttle import Throttled, throttled_of


def test_each_worker_says_by_what_it_is_throttled() -> None:
    """Others have no word of it; what is written otherwise, by whoever, is passed over."""
    by = {"by": {"S": "the alarm hot in us-west-2"}, "at": {"N": "1764370800"}}
    said: Row = {
        "worker-1": {"M": by},
        "worker-2": {"M": {"by": {"N": "1"}}},
        "worker-3": {"S": "yes"},
    }
    rows: list[Row] = [
        {"key": {"S": PRESENCE + worker}, "throttled": one} for worker, one in said.items()
    ]
    others: list[Row] = [
        {"key": {"S": f"{PRESENCE}worker-4"}},
        {"key": {"S": "Leader"}, "throttled": {"M": by}},
    ]
    assert throttled_of(
        KclRows(found=True, leases=[], coordinator=[*rows, *others], workers=[])
    ) == [
        Throttled("worker-1", "the alarm hot in us-west-2", 1_764_370_800.0),
        Throttled("worker-2", "?", 0.0),
    ]
