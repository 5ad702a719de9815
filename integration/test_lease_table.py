"""The lease table is out of reach for a while: nothing is written unproven, and nobody ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.soak.gateway import gateways
from integration.story import Stories, Tell, assert_replicated
from integration.until import until
from integration.worker import Worker

pytestmark = [pytest.mark.story, pytest.mark.drill]

# Of a checkpoint that was put off, and of a proof that is waited for.
_UNPROVEN = "KinesisClientLibDependencyException"


def test_a_lease_table_that_is_out_of_reach(story: Stories, tell: Tell, local: str) -> None:
    """Refused connections are waited for, within the failover time and beyond it."""
    with gateways(local, ["worker-1"], 1) as ways:
        told = story(lineages=2, preload=200, keys=100, rate=50.0)
        told.configure(kcl={"region": "us-east-1", "endpoint": ways["worker-1"].url})
        worker = told.started()
        for seconds in (8.0, 20.0):
            ways["worker-1"].away(seconds)
            until(_waits_or_ends(worker), "it cannot prove that the shards are its own", 60)
            assert worker.running(), worker.log()
            until(told.more_writes(5), "it writes again", 60)
        verdict = told.simulator.settle(60)
        assert worker.running(), worker.log()
        assert_replicated(verdict)
        tell("lease table out of reach for 8 s and for 20 s", told, verdict, 2)


def _waits_or_ends(worker: Worker) -> Callable[[], bool]:
    seen = worker.log().count(_UNPROVEN)
    return lambda: worker.log().count(_UNPROVEN) > seen or not worker.running()
