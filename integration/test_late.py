"""Requests that land late, on top of newer writes."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Iterator

import pytest

from integration.lines import Program
from integration.network import SERVER_ADDRESS, Network, NoNamespaces
from integration.story import Stories, Tell
from integration.until import until

KEYS = 100
PORT = 8000
# Seconds after which the kernel has sent again, for the last time that matters, what it had queued
# when packets began to vanish: its attempts are twice as far apart each, the seventh at 51 s.
ALL_HAS_LANDED = 75.0


@pytest.fixture
def network() -> Iterator[Network]:
    try:
        with Network() as made:
            yield made
    except NoNamespaces as error:
        pytest.skip(f"network namespaces need root and iproute2: {error}")


@pytest.mark.drill
@pytest.mark.parametrize("seconds", [12, 28])
def test_packets_that_vanish_for_a_while_do_not_come_back(network: Network, seconds: int) -> None:
    """What a closed connection had queued is never sent, and every key ends as written last."""
    url = f"http://{SERVER_ADDRESS}:{PORT}"
    with (
        network.start(network.server, "integration.late_server", SERVER_ADDRESS, str(PORT)) as far,
        network.start(network.client, "integration.late_writer", url, str(KEYS)) as near,
    ):
        assert far.read() == str(PORT)
        _written(near, versions=20)
        network.cut()
        landed = time.monotonic() + ALL_HAS_LANDED
        time.sleep(seconds)
        network.mend()
        version, said = _written(near, versions=100), near.ask()
        while said != "settled":
            version, said = int(said), near.read()
        time.sleep(max(0.0, landed - time.monotonic()))
        told = json.loads(far.ask())
    assert told["back"] == 0
    assert told["versions"] == {str(number): version for number in range(KEYS)}


def _written(writer: Program, versions: int) -> int:
    return [int(writer.read()) for _ in range(versions)][-1]


@pytest.mark.drill
def test_a_process_that_was_stopped_sends_next_to_nothing_when_it_goes_on() -> None:
    """Of forty stops that outlast the proof, two at most are followed by a late request.

    With the look before the signature and the connection, 15 and 12 of forty were.
    """
    with Program("integration.late_server", "127.0.0.1", "0") as far:
        url = f"http://127.0.0.1:{far.read()}"
        with Program("integration.proof_writer", url, "1000", "0.06") as near:
            assert near.read()
            continued = [_stop_for_a_while(near) for _ in range(40)]
            time.sleep(0.5)
            proofs = [float(said) for said in near.end()]
        arrivals = json.loads(far.ask())["arrivals"]
    late = 0
    for moment in continued:
        proven = min(proof for proof in proofs if proof > moment)
        late += any(moment < arrival < proven for arrival in arrivals)
    assert len(arrivals) > 1000 and late <= 2


def _stop_for_a_while(program: Program) -> float:
    """Stop it for longer than its proof lasts; say when it went on."""
    time.sleep(random.uniform(0.05, 0.12))
    program.signal(signal.SIGSTOP)
    time.sleep(0.15)
    moment = time.monotonic()
    program.signal(signal.SIGCONT)
    return moment


@pytest.mark.story
@pytest.mark.drill
@pytest.mark.timeout(400)
def test_a_request_that_lands_on_newer_writes_is_mended(story: Stories, tell: Tell) -> None:
    """A service takes 20 s for a request that was given up after 10; a minute later it is mended.

    The keys are written meanwhile, and not any more when it lands.
    """
    told = story(lineages=1, preload=20, keys=20, rate=40.0)
    worker = told.started()
    slow = {"kind": "latency", "operation": "BatchWriteItem", "milliseconds": 40_000}
    told.simulator.faults(destination=[slow])
    until(told.more_writes(1), "a request is held back")
    told.simulator.faults(destination=[])
    until(lambda: "ReadTimeoutError" in worker.log(), "it is given up", 20)
    until(told.more_writes(5), "newer versions are written")
    told.caught_up()
    verdict = told.simulator.verdict
    until(lambda: verdict()["regressed"] > 0, "the old request lands", 30)
    assert not verdict()["equal"]
    until(lambda: verdict()["equal"], "it is made good", 90)
    assert worker.stop() == 0
    tell("a request lands 10 s after it was given up, on newer writes", told, verdict())
