"""Who takes a request and never answers holds a shard for seconds, not for ever."""

from __future__ import annotations

import socket

import pytest

from integration.story import Stories, Tell, assert_replicated
from integration.until import until

pytestmark = pytest.mark.story


def test_a_request_without_an_answer_is_made_again(story: Stories, tell: Tell) -> None:
    """Requests that hang for ten minutes are given up after ten seconds, and nothing is lost."""
    told = story(lineages=1, preload=100, keys=50, rate=20.0)
    worker = told.started()
    hang = {"kind": "latency", "operation": "BatchWriteItem", "milliseconds": 600_000}
    told.simulator.faults(destination=[hang])
    until(told.more_writes(1), "a request hangs")
    told.simulator.faults(destination=[])
    until(lambda: "ReadTimeoutError" in worker.log(), "the request is given up", 20)
    verdict = told.simulator.settle(30)
    assert worker.running() and worker.stop() == 0
    assert_replicated(verdict)
    tell("a request is never answered", told, verdict)


def test_an_agent_that_never_answers_keeps_no_shard(
    story: Stories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On ECS the KCL would ask the agent for its CPU, wait for the answer for ever, and give a
    worker without one no shard: it is not asked, and shards are read."""
    with socket.create_server(("127.0.0.1", 0)) as agent:
        at = f"http://127.0.0.1:{agent.getsockname()[1]}/v4/container"
        monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", at)
        told = story(lineages=1, preload=50, keys=50, rate=20.0)
        told.started()
        assert_replicated(told.simulator.settle(30))
