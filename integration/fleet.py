"""A fleet of real daemons on this machine: simulated stream, DynamoDB Local, a CloudWatch by moto.

Every call goes through a recorder, so that a test can ask which actions each side needed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer

from integration.recorder import Recorder, recording
from integration.simulator.client import SimulatorProcess
from kcl_processor.config.task import Task
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.demo.dynamodb_local import dynamodb_local

TASK = "orders"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Fleet:
    """Daemons of one task, and the commands an operator types about it."""

    def __init__(self, folder: Path, simulator: SimulatorProcess, sides: dict[str, Recorder]):
        self.folder = folder
        self.simulator = simulator
        self.sides = sides
        self.file = folder / "orders.yml"
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self.file.write_text(
            f"""tasks:
  {TASK}:
    source: {{region: us-east-1, table: source, endpoint: "{sides["source"].url}"}}
    destination: {{region: us-west-2, table: replica, endpoint: "{sides["destination"].url}"}}
    kcl: {{region: us-east-1, endpoint: "{sides["kcl"].url}", worker_id: worker-1}}
    metrics: {{region: us-east-1, endpoint: "{sides["metrics"].url}"}}
"""
        )

    @property
    def task(self) -> Task:
        return load_tasks(self.file)[0]

    def start(self, worker: str) -> None:
        """Start a daemon of this worker id, with a state directory of its own."""
        with (self.folder / f"{worker}.log").open("ab") as log:
            self._workers[worker] = subprocess.Popen(
                [
                    *self._command("run", "--workerId", worker),
                    *("--state-dir", str(self.state(worker)), "--log-dir", str(self.folder)),
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, **CREDENTIALS},
                start_new_session=True,
            )

    def stop(self, worker: str, number: int = signal.SIGTERM) -> int:
        """Signal a daemon and its children, wait, and give its exit code."""
        process = self._workers.pop(worker)
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        return process.wait(60)

    def stop_all(self) -> None:
        """Kill what still runs."""
        for worker in list(self._workers):
            self.stop(worker, signal.SIGKILL)

    def state(self, worker: str) -> Path:
        return self.folder / f"state-{worker}"

    def ask(self, *words: str, worker: str = "worker-1") -> subprocess.CompletedProcess[str]:
        """Run a command of the product about the task."""
        return subprocess.run(
            [*self._command(*words), "--state-dir", str(self.state(worker))],
            env={**os.environ, **CREDENTIALS},
            capture_output=True,
            text=True,
            timeout=120,
        )

    def leases(self) -> list[dict[str, Any]]:
        """What ``leases --json`` says, without waiting for counters."""
        return list(json.loads(self.ask("leases", "--json", "--no-wait").stdout or "[]"))

    def _command(self, command: str, *words: str) -> list[str]:
        return [sys.executable, "-m", "kcl_processor", command, "-c", str(self.file), *words]


@contextmanager
def fleet(folder: Path, **simulator: Any) -> Iterator[Fleet]:
    """A fleet without daemons yet; ``simulator`` are the simulator's settings."""
    with ExitStack() as stack:
        database = stack.enter_context(dynamodb_local())
        source = stack.enter_context(SimulatorProcess(behind=database, **simulator))
        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        stack.callback(moto.stop)
        host, port = moto.get_host_and_port()
        urls = {
            "source": source.source_url,
            "destination": source.destination_url,
            "kcl": database,
            "metrics": f"http://{host}:{port}",
        }
        sides = {name: stack.enter_context(recording(url)) for name, url in urls.items()}
        made = Fleet(folder, source, sides)
        stack.callback(made.stop_all)
        yield made


def until(true: Callable[[], Any], what: str, deadline: float = 90.0) -> Any:
    """Poll until something is true, or fail."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {deadline:.0f} s: {what}")
