"""A simulator in its own process, for drills and benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import psutil

_ROOT = Path(__file__).resolve().parents[2]

# What a command-line option of the simulator may be.
Option = bool | float | str


class SimulatorProcess:
    """A running simulator; use it as a context manager.

    Keyword arguments are the options of `python -m integration.simulator`, as in
    `SimulatorProcess(lineages=8, rate=500.0, behind=url)`. `ready` is its ready line.
    """

    def __init__(self, **options: Option) -> None:
        arguments = [sys.executable, "-m", "integration.simulator"]
        for name, value in options.items():
            option = name.replace("_", "-")
            if isinstance(value, bool):
                arguments.append(f"--{option}" if value else f"--no-{option}")
            else:
                arguments.append(f"--{option}={value}")
        self._process = subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=_ROOT)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulator did not start: exit code {self._process.wait()}")
        self.ready: dict[str, Any] = json.loads(line)
        self.source_url: str = self.ready["source_url"]
        self.destination_url: str = self.ready["destination_url"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process, by SIGTERM."""
        self._process.terminate()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def control(self, **actions: object) -> dict[str, Any]:
        """Carry out actions (see `integration.simulator.control`) and return their answers.

        Raises urllib.error.HTTPError for an action that does not exist or cannot be done.
        """
        answers: dict[str, Any] = self._ask("/_control", json.dumps(actions).encode())
        return answers

    def faults(
        self,
        source: Sequence[Mapping[str, object]] | None = None,
        destination: Sequence[Mapping[str, object]] | None = None,
    ) -> None:
        """Replace the faults of the endpoints that are given; an empty list ends them."""
        rules = {"source": source, "destination": destination}
        self.control(faults={name: of for name, of in rules.items() if of is not None})

    def status(self) -> dict[str, Any]:
        """Return counts and how many keys are behind; cheap."""
        status: dict[str, Any] = self._ask("/_status")
        return status

    def verdict(self) -> dict[str, Any]:
        """Return the judge's verdict."""
        verdict: dict[str, Any] = self._ask("/_verdict")
        return verdict

    def differences(self) -> list[dict[str, Any]]:
        """Return each key that differs, with its last change at the source."""
        found: list[dict[str, Any]] = self._ask("/_differences")
        return found

    def settle(self, seconds: float) -> dict[str, Any]:
        """Stop the writing, wait until no key is behind, at most `seconds`; return the verdict."""
        self.control(load={"rate": 0})
        deadline = time.monotonic() + seconds
        while self.status()["behind"] and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.verdict()

    def cpu_seconds(self) -> float:
        """Return the CPU time that the simulator has used."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        with urllib.request.urlopen(self.source_url + path, body, timeout=60) as answer:
            return json.load(answer)
