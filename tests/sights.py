"""What a look at a task saw, made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kcl_processor.operate.lineage import ShardView
from kcl_processor.operate.observe import Sight
from kcl_processor.replicate.figures import ShardFigures
from kcl_processor.state.heartbeat import Heartbeat
from tests.fakes import HandClock

CLOCK = HandClock()
HOUR = 3600.0


def view(
    shard: str = "shardId-1",
    state: str = "active",
    lag: float | None = None,
    owner: str = "worker-1",
) -> ShardView:
    """A shard as it was seen; a lag leaves the rest of the stream's day."""
    left = None if lag is None else 24 * HOUR - lag
    return ShardView(
        shard,
        state,
        owner,
        checkpoint="17",
        moving=True,
        owner_switches=0,
        lag=lag,
        age=1.0,
        trims_in=left,
        parents=(),
        children=(),
        open=True,
    )


def sight(*views: ShardView, **options: Any) -> Sight:
    """A task with these shards and one worker that lives."""
    seen = Sight(
        task="orders",
        found=True,
        shards=list(views),
        live=["worker-1"],
        leader=None,
        unseen=None,
        heartbeats={},
        endings=[],
        pauses=[],
        dead_letters=0,
        gaps=0,
        now=CLOCK.now(),
    )
    return replace(seen, **options)


def beat(shard: str, **options: Any) -> Heartbeat:
    """The heartbeat of a shard that has just been opened, with other figures as given."""
    return replace(ShardFigures("orders", shard, "w", CLOCK).heartbeat(), **options)
