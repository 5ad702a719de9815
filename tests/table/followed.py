"""A task whose daemon was started, as a live copy sees it."""

from __future__ import annotations

from kcl_processor.aws import clients
from kcl_processor.config.task import Task
from kcl_processor.fleet.leases import TRIM_HORIZON
from kcl_processor.launch.identity import write_claim
from tests.kcl_tables import identity


def follow(task: Task, checkpoint: str = TRIM_HORIZON) -> None:
    """What the daemon's first start leaves: a claim, and a lease for each shard."""
    ours = identity(task)
    assert write_claim(task, None, ours)
    stream = clients.streams(task.source).describe_stream(StreamArn=ours.stream)
    for shard in stream["StreamDescription"]["Shards"]:
        place(task, shard["ShardId"], checkpoint)


def place(task: Task, shard: str, checkpoint: str) -> None:
    """A shard's lease."""
    clients.checkpoints(task).put_item(
        TableName=task.kcl.application_name,
        Item={
            "leaseKey": {"S": shard},
            "leaseCounter": {"N": "7"},
            "checkpoint": {"S": checkpoint},
        },
    )
