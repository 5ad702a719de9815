"""Daemons that are started again when they end, as systemd does by the rendered units.

One thing is done less kindly than systemd does it: what a daemon that was killed leaves behind is
not killed with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from integration.worker import STOP_SECONDS, Worker
from kcl_processor.errors import ExitCode
from kcl_processor.launch.service_units import FINAL

# RestartSec of the rendered units.
RESTART_SECONDS = 1.0
# A daemon that ends later than this after a fault did not end of it.
_EFFECT_SECONDS = 60.0
BY_ITSELF = "by itself"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Ending:
    """A daemon's end.

    code: its exit code, or minus the signal.
    after: the fault that was to end it.
    """

    worker: str
    code: int
    after: str

    @property
    def finding(self) -> str | None:
        """What is wrong with it, if anything: an end that no fault of the plan asks for."""
        if self.code in (*FINAL, ExitCode.BUG):
            return f"{self.worker} ended with {self.code}, which says not to restart it"
        if self.code == ExitCode.OK and self.after != "stop":
            return f"{self.worker} ended with 0 and had not been asked to"
        return None


class Supervisor:
    """Keeps the daemon of one worker running.

    Args:
        make: a worker that is not started.
        clock: seconds, of any beginning.
        tell: takes a line for each end.
    """

    def __init__(self, make: Callable[[], Worker], clock: Callable[[], float], tell: Tell) -> None:
        self._make = make
        self._clock = clock
        self._tell = tell
        self._fault = (BY_ITSELF, 0.0)
        self._ended: float | None = None
        self._kill_at: float | None = None
        # Every daemon that ever ran: what they leave behind may outlive them.
        self.all: list[Worker] = []
        self.endings: list[Ending] = []

    def start(self) -> None:
        """Start the daemon."""
        self.all.append(self._make())
        self.worker.start()
        self._ended = None

    @property
    def worker(self) -> Worker:
        """The daemon that was started last."""
        return self.all[-1]

    def expect_end(self, fault: str) -> None:
        """Note the fault that is about to end the daemon."""
        self._fault = fault, self._clock()

    def stop(self) -> None:
        """Ask for a graceful end; it is killed if it takes longer than the units grant."""
        self.expect_end("stop")
        self._kill_at = self._clock() + STOP_SECONDS
        self.worker.ask_to_stop()

    def look(self) -> None:
        """Start the daemon again if it ended a while ago."""
        if self.worker.running():
            if self._kill_at is not None and self._clock() >= self._kill_at:
                self.expect_end("stop, which took too long")
                self.worker.kill()
            return
        if self._ended is None:
            self._ended = self._clock()
            self.note_end()
        elif self._clock() - self._ended >= RESTART_SECONDS:
            self.start()

    def note_end(self) -> None:
        """Write down how the daemon ended."""
        fault, since = self._fault
        after = fault if self._clock() - since < _EFFECT_SECONDS else BY_ITSELF
        ending = Ending(self.worker.name, self.worker.wait(0), after)
        self._fault, self._kill_at = (BY_ITSELF, 0.0), None
        self.endings.append(ending)
        self._tell(f"{ending.worker} ended with {ending.code}: {after}")

    def kill_all(self) -> None:
        """Kill every process that is left of any daemon."""
        for worker in self.all:
            worker.kill()
