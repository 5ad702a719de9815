"""The fleet that is soaked: supervised daemons of one task, each with a host of its own.

A host is a state directory, a folder for logs, and a way to the lease table.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from integration import local_tables, task_file
from integration.commands import Commands
from integration.simulator.client import Option, SimulatorProcess
from integration.soak.gateway import Gateway, gateways
from integration.soak.supervisor import Ending, Supervisor, Tell
from integration.until import until
from integration.worker import STOP_SECONDS, Worker
from kcl_processor.config.paths import TaskFiles
from kcl_processor.config.yaml_file import load_tasks
from kcl_processor.state.gaps import Gap, noted_gaps

TASK = "soak"
# Asked to stop within the first moment of its start, a daemon ends by the signal.
_STOPPED = (0, -signal.SIGTERM)
# Seconds for the first write of a fleet, and for processes that lost their daemon to end.
_START, _AFTERWARDS = 180.0, 60.0


class Fleet:
    """Supervised daemons by number, and what they share."""

    def __init__(
        self, folder: Path, simulator: SimulatorProcess, ways: dict[str, Gateway], tell: Tell
    ) -> None:
        self.simulator = simulator
        self.gateways = list(ways.values())
        self._commands = {name: _host(folder, name, simulator, way) for name, way in ways.items()}
        self.supervisors = [
            Supervisor(_maker(folder, name, commands), time.monotonic, tell)
            for name, commands in self._commands.items()
        ]

    def start(self) -> None:
        """Start every daemon, and wait until the first change arrives."""
        for supervisor in self.supervisors:
            supervisor.start()

        def arrives() -> bool:
            self.look()
            return bool(self.simulator.status()["destination"]["calls"].get("BatchWriteItem"))

        until(arrives, "the fleet writes", _START, every=0.5)

    def look(self) -> None:
        """Start again what ended."""
        for supervisor in self.supervisors:
            supervisor.look()

    def stop(self) -> list[str]:
        """Ask every daemon to stop, and kill what is left; return what was wrong with the end."""
        running = [each for each in self.supervisors if each.worker.running()]
        for supervisor in running:
            supervisor.stop()
        wrong = [words for supervisor in running if (words := _stopped(supervisor))]
        return wrong + self._outlived()

    def _outlived(self) -> list[str]:
        with suppress(TimeoutError):
            until(lambda: not self._left(), "record processors end", _AFTERWARDS, every=0.5)
        left = self._left()
        self.kill()
        return [f"process {process.pid} outlived its daemon" for process in left]

    def _left(self) -> list[psutil.Process]:
        """The processes that are left of any daemon."""
        sessions = {worker.pid for each in self.supervisors for worker in each.all}
        return [process for process in psutil.process_iter() if _session(process) in sessions]

    def kill(self) -> None:
        """Kill every process that is left."""
        for supervisor in self.supervisors:
            supervisor.kill_all()

    def endings(self) -> list[Ending]:
        """How daemons ended, by worker."""
        return [ending for each in self.supervisors for ending in each.endings]

    def gaps(self) -> list[Gap]:
        """What the fleet noted to have missed."""
        return [
            gap
            for commands in self._commands.values()
            for gap in noted_gaps(TaskFiles(load_tasks(commands.file)[0], commands.state).gaps)
        ]


def _stopped(supervisor: Supervisor) -> str | None:
    """Wait until a daemon that was asked to has stopped; return what is wrong with that."""
    worker, wrong = supervisor.worker, None
    try:
        code = worker.wait(STOP_SECONDS)
        if code not in _STOPPED:
            wrong = f"{worker.name} ended its stop in calm weather with {code}"
    except subprocess.TimeoutExpired:
        wrong = f"{worker.name} did not stop in {STOP_SECONDS:.0f} s"
        worker.kill()
    supervisor.note_end()
    return wrong


def _session(process: psutil.Process) -> int | None:
    with suppress(psutil.Error, ProcessLookupError):
        if process.status() != psutil.STATUS_ZOMBIE:
            return os.getsid(process.pid)
    return None


def _host(folder: Path, name: str, simulator: SimulatorProcess, way: Gateway) -> Commands:
    (folder / name).mkdir()
    commands = Commands(folder / name / "task.yml", folder / name / "state")
    settings = task_file.simulated(simulator, way.url) | {"on_gap": "continue"}
    task_file.write(commands.file, TASK, settings)
    return commands


def _maker(folder: Path, name: str, commands: Commands) -> Callable[[], Worker]:
    line = commands.line("run", "--workerId", name, "--log-dir", str(folder / name))
    return lambda: Worker(line, folder / name / "run.log", name=name)


@contextmanager
def fleet(
    folder: Path, workers: Sequence[str], seed: int, tell: Tell, **simulator: Option
) -> Iterator[Fleet]:
    """A fleet that is not started; ``simulator`` are the simulator's options."""
    with ExitStack() as stack:
        database = stack.enter_context(local_tables.database())
        source = stack.enter_context(SimulatorProcess(seed=seed, **simulator))
        ways = stack.enter_context(gateways(database, workers, seed))
        soaked = Fleet(folder, source, ways, tell)
        stack.callback(soaked.kill)
        yield soaked
