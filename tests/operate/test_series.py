"""The names of what is served follow Prometheus' conventions."""

from __future__ import annotations

import re

from kcl_processor.operate.series import COUNTERS, EVERY, Counter, Gauge
from kcl_processor.state.heartbeat import Counts


def test_names_follow_the_conventions() -> None:
    """One prefix, base units, and no suffix that a kind of metric adds by itself."""
    names = [series.family for series in EVERY]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch("kcl_processor_[a-z_]+", name)
        assert not re.search("_(total|bucket|sum|count|created|info|ms|milliseconds)$", name)
    timed = [series for series in EVERY if not isinstance(series, Counter)]
    others = {
        f"kcl_processor_{name}"
        for name in ("up", "open_differences", "limit_wcu", "limit_waiting_shards")
    }
    assert {one.family for one in timed if not one.family.endswith("_seconds")} == others
    assert all(series.help.endswith(".") for series in EVERY)
    assert all(series.labels[0] == "task" for series in timed if isinstance(series, Gauge))


def test_every_count_of_a_record_processor_is_served() -> None:
    """Under one name each."""
    assert {counter.field for counter in COUNTERS} == set(vars(Counts()))
