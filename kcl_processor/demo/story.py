"""A replica at work on this machine: real daemon, real stream, DynamoDB Local, a kill in mid-run.

The story: a source table with items of every type in one region, an empty one in another. The
daemon starts as ``kcl-processor run`` starts it. Puts, updates and deletes go on for a while;
halfway the daemon is killed with SIGKILL and started again; in the end it is stopped gracefully and
both tables are compared item by item.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from kcl_processor.clock import Clock
from kcl_processor.demo.items import every_type, read
from kcl_processor.errors import OperatorError

SOURCE_REGION, DESTINATION_REGION = "us-east-1", "eu-west-1"
TABLE = "orders"
RUN_LOG = "run.log"
_PROBE = "probe"

# Seconds: a first start includes KCL's three tables and its election of a leader.
_START_DEADLINE = 120.0
_EQUAL_DEADLINE = 60.0
_STOP_DEADLINE = 60.0


@dataclass
class Figures:
    """What a view shows while the demo runs, and the summary at its end. Times are seconds."""

    phase: str = "starting DynamoDB Local"
    preloaded: int = 0
    changes: int = 0
    items: int = 0
    restarts: int = 0
    first_record: float | None = None
    resumed: float | None = None
    latencies: list[float] = field(default_factory=list)
    differences: int | None = None
    exit_code: int | None = None

    def latency(self, percent: int) -> float | None:
        """A percentile of the probes' latency."""
        if len(self.latencies) < 2:
            return None
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1]

    def equal(self) -> bool:
        """Whether the tables were compared and found equal, after a graceful stop."""
        return self.differences == 0 and self.exit_code == 0


class Demo:
    """The story, on a DynamoDB Local that already runs.

    Args:
        endpoint: DynamoDB Local's URL.
        folder: for logs and state.
        show: called with the figures whenever they changed.
        wait: waits for some seconds.
    """

    def __init__(
        self,
        endpoint: str,
        folder: Path,
        java: str | None,
        show: Callable[[Figures], None],
        clock: Clock,
        wait: Callable[[float], None],
    ) -> None:
        self._endpoint = endpoint
        self._folder = folder
        self._java = java
        self._show = show
        self._clock = clock
        self._wait = wait
        self.figures = Figures()
        self._source = _client(endpoint, SOURCE_REGION)
        self._destination = _client(endpoint, DESTINATION_REGION)
        self._probes = 0

    def run(self, seconds: float, preload: int) -> Figures:
        """Tell the whole story; ``seconds`` is how long changes flow.

        Raises:
            OperatorError: something did not happen in time.
        """
        self._make_tables()
        self._preload(preload)
        with self._daemon() as first:
            started = self._clock.elapsed()
            self._phase("first start: KCL makes its tables and elects a leader")
            self._probe(_START_DEADLINE, first)
            self.figures.first_record = self._clock.elapsed() - started
            self._write_for(seconds / 2, first)
            self._kill(first)
        with self._daemon() as second:
            started = self._clock.elapsed()
            self._phase("killed with SIGKILL; started again")
            self.figures.restarts += 1
            self._probe(_START_DEADLINE, second)
            self.figures.resumed = self._clock.elapsed() - started
            self._write_for(seconds / 2, second)
            self._phase("waiting until both tables are equal")
            self._until_equal()
            self._stop(second)
        return self.figures

    def _phase(self, text: str) -> None:
        self.figures.phase = text
        self._show(self.figures)

    def _make_tables(self) -> None:
        self._phase("making the tables")
        schema: dict[str, Any] = {
            "TableName": TABLE,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        self._source.create_table(**schema, StreamSpecification=stream)
        self._destination.create_table(**schema)

    def _preload(self, count: int) -> None:
        self._phase("writing items of every type")
        for number in range(count):
            self._source.put_item(TableName=TABLE, Item=every_type(f"item-{number}", 0))
        self.figures.preloaded = count

    @contextmanager
    def _daemon(self) -> Iterator[subprocess.Popen[bytes]]:
        """The daemon, in a process group of its own, which does not outlive the block."""
        with (self._folder / RUN_LOG).open("ab") as log:
            process = subprocess.Popen(
                self._command(),
                stdout=log,
                stderr=log,
                env={**os.environ, **_credentials()},
                start_new_session=True,
            )
        try:
            yield process
        finally:
            self._kill(process)

    def _command(self) -> list[str]:
        flags = {
            "--sourceRegion": SOURCE_REGION,
            "--sourceTable": TABLE,
            "--sourceEndpoint": self._endpoint,
            "--destinationRegion": DESTINATION_REGION,
            "--destinationTable": TABLE,
            "--destinationEndpoint": self._endpoint,
            "--taskName": "Demo",
            "--state-dir": str(self._folder / "state"),
            "--log-dir": str(self._folder),
        }
        if self._java:
            flags["--java"] = self._java
        words = [word for pair in flags.items() for word in pair]
        return [sys.executable, "-m", "kcl_processor", "run", "--dontPublishCloudwatch", *words]

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        self._phase("stopping the daemon gracefully")
        process.terminate()
        try:
            self.figures.exit_code = process.wait(_STOP_DEADLINE)
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"the daemon did not stop within {_STOP_DEADLINE:.0f} s") from error
        self._phase("done")

    def _write_for(self, seconds: float, process: subprocess.Popen[bytes]) -> None:
        self._phase("replicating puts, updates and deletes")
        over = threading.Event()
        writer = threading.Thread(target=self._write_until, args=(over,), daemon=True)
        writer.start()
        end = self._clock.elapsed() + seconds
        try:
            while self._clock.elapsed() < end:
                latency = self._probe(_EQUAL_DEADLINE, process)
                self.figures.latencies.append(latency)
                self._show(self.figures)
        finally:
            over.set()
            writer.join()

    def _write_until(self, over: threading.Event) -> None:
        """Write at an easy rate, a tenth of it deletes, until told that it is over."""
        client = _client(self._endpoint, SOURCE_REGION)
        while not over.wait(0.02):
            name = f"item-{random.randrange(2 * self.figures.preloaded)}"
            if random.random() < 0.1:
                client.delete_item(TableName=TABLE, Key={"pk": {"S": name}})
            else:
                client.put_item(TableName=TABLE, Item=every_type(name, self.figures.changes))
            self.figures.changes += 1

    def _probe(self, deadline: float, process: subprocess.Popen[bytes]) -> float:
        """Change one item and return the seconds until the change is on the destination."""
        self._probes += 1
        value = {"N": str(self._probes)}
        key = {"pk": {"S": _PROBE}}
        self._source.put_item(TableName=TABLE, Item={**key, "n": value})
        written = self._clock.elapsed()
        self.figures.changes += 1
        while self._clock.elapsed() < written + deadline:
            item = self._destination.get_item(TableName=TABLE, Key=key).get("Item")
            if item and item["n"] == value:
                return self._clock.elapsed() - written
            if process.poll() is not None:
                raise self._failed(f"the daemon ended with exit code {process.returncode}")
            self._wait(0.005)
        raise self._failed(f"a change did not arrive within {deadline:.0f} s")

    def _until_equal(self) -> None:
        deadline = self._clock.elapsed() + _EQUAL_DEADLINE
        while True:
            source, destination = read(self._source, TABLE), read(self._destination, TABLE)
            keys = source.keys() | destination.keys()
            self.figures.items = len(source)
            self.figures.differences = sum(source.get(k) != destination.get(k) for k in keys)
            if self.figures.differences == 0 or self._clock.elapsed() > deadline:
                return
            self._wait(0.2)

    def _failed(self, what: str) -> OperatorError:
        log = self._folder / RUN_LOG
        last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
        return OperatorError(
            f"The demo did not end well: {what}. The daemon's last words: {''.join(last) or '-'}",
            "kcl-processor demo --keep-logs DIR, and read the logs there",
        )


def set_apart(environment: MutableMapping[str, str]) -> None:
    """Take from an environment what would lead elsewhere: all is on this machine, behind no proxy,
    and asks for no profile, bundle or endpoint of its owner's."""
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    environment.update(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")


def _credentials() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _client(endpoint: str, region: str) -> Any:
    return boto3.client(
        "dynamodb",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="demo",
        aws_secret_access_key="demo",
    )
