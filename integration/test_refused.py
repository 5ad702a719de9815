"""Denied, deleted, another key schema, in mid-flight: the daemon stops, names it, skips nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.bootstrap import bootstrapped
from integration.story import Stories, Tell, assert_replicated
from kcl_processor.errors import ExitCode

pytestmark = pytest.mark.story


def test_a_destination_that_refuses_in_mid_flight(story: Stories, tell: Tell) -> None:
    """Each refusal has its exit code and names the action or the table; cured, all is there."""
    told = story(lineages=2, preload=300, keys=200, rate=60.0)
    worker = told.started()
    told.simulator.faults(
        destination=[{"kind": "AccessDeniedException", "operation": "BatchWriteItem"}]
    )
    assert worker.wait() == 5
    assert "dynamodb:BatchWriteItem on the destination table replica is denied" in worker.log()
    told.simulator.faults(destination=[])

    worker = told.started()
    told.simulator.faults(
        destination=[{"kind": "ResourceNotFoundException", "operation": "BatchWriteItem"}]
    )
    assert worker.wait() == 7
    assert "The destination table replica does not exist" in worker.log()
    told.simulator.faults(destination=[])

    worker = told.started()
    told.simulator.control(key_schema={"other": "S"})
    assert worker.wait() == 7
    assert "The keys of the destination table replica are not those" in worker.log()
    told.simulator.control(key_schema={"pk": "S", "sk": "N"})

    told.started()
    verdict = told.simulator.settle(60)
    assert_replicated(verdict)
    tell("destination denied, deleted, with another key schema", told, verdict, 3)


def test_a_source_that_refuses_in_mid_flight(story: Stories) -> None:
    """A reader whose permission is taken away stops with the denied action named."""
    told = story(lineages=2, preload=300, keys=200, rate=60.0)
    worker = told.started()
    told.simulator.faults(source=[{"kind": "AccessDeniedException", "operation": "GetRecords"}])
    assert worker.wait() == 5
    assert "dynamodb:GetRecords" in worker.log() and "denied" in worker.log()
    told.simulator.faults(source=[])
    told.started()
    assert_replicated(told.simulator.settle(60))


def test_a_fork_server_that_cannot_start_ends_the_daemon_with_its_code(story: Stories) -> None:
    """Nothing has begun by then; its own reason is the daemon's, on stderr and in `status`."""
    told = story(lineages=1, preload=50, keys=20)
    told.set_worker_id("worker-1")
    server = told.folder / "fork-server"
    server.write_text("#!/bin/sh\necho 'ERROR No bundle there. Try: another one' >&2\nexit 5\n")
    server.chmod(0o700)
    with_server = bootstrapped(told.commands, told.folder / "daemon")
    rendered = next(told.folder.joinpath("daemon").glob("**/*.properties"))
    rendered.write_text(rendered.read_text().replace("kcl-processor-fork-server", str(server)))
    with with_server as worker:
        assert worker.wait() == ExitCode.PERMISSION, worker.log()
        assert "server ended with exit code 5, and with it the daemon" in worker.log()
    (noted,) = Path(told.commands.state).glob("**/*ending*")
    assert json.loads(noted.read_text())["reason"] == "No bundle there. Try: another one"


def test_a_start_while_credentials_are_renewed(story: Stories) -> None:
    """It waits for them, says so, and starts; nobody has to start it again."""
    told = story(lineages=1, preload=50, keys=20)
    told.simulator.faults(destination=[{"kind": "UnrecognizedClientException", "seconds": 8.0}])
    worker = told.started()
    said = worker.log()
    assert "UnrecognizedClientException" in said and "300 s" in said
    assert_replicated(told.simulator.settle(60))
