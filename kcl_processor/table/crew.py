"""One piece of work done by several processes: forked from this one, which hears what they did.

Python computes in one process at a time, and a scan waits for its pages and its writes: several
processes use all cores, and one computes while another waits. They are forked, so that they share
what was imported and checked; before any thread is there, as whatever forks must; and they make
their own connections and look up their own credentials. What they did they tell over a pipe, and go
on when it was heard: so it is written down, by one process, before more is done.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from typing import Any

from kcl_processor.aws import clients
from kcl_processor.clock import SystemClock
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.table.pace import Halt, Halted

_fork = get_context("fork")
# Processes end in the system's time, whatever the time is that the work goes by.
_clock = SystemClock()

# Of a host without end, so many are enough for any table's capacity.
_MOST = 8
# Seconds between two turns, when nothing is heard.
_TURN = 0.2
# Seconds that a worker has to end what is on the wire; an attempt is bounded by less.
_GRACE = 20.0
# What is parsed is freed as it is done with, without the collector: it need not look often.
_GC_THRESHOLDS = 20_000, 20, 100


def processes_for(pieces: int, given: int | None = None) -> int:
    """How many processes help with so many pieces of work on this host.

    Args:
        given: what the operator wants.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(pieces, given or min(_MOST, 1 + (cores or 1))))


class Numbers:
    """The numbers from 0 on, each handed to one process of a crew."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._next = _fork.Value("q", 0)

    def __iter__(self) -> Iterator[int]:
        while True:
            with self._next:
                number = self._next.value
                self._next.value += 1
            if number >= self._count:
                return
            yield number


@dataclass(frozen=True)
class _Ended:
    """The last word of a worker: what it failed with, if it did."""

    error: BaseException | None


class Link:
    """A worker's end: what it tells, and how it is told to stop.

    Args:
        halt: set when the work is to end.
    """

    def __init__(self, pipe: Connection, halt: Halt) -> None:
        self._pipe = pipe
        self._halt = halt
        self._heard: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=self._listen, name="link", daemon=True).start()

    def tell(self, report: object) -> None:
        """Tell what was done; returns when it is written down.

        Raises:
            Halted: the work has ended, and it may not be.
        """
        self._halt.wait(0)
        self._pipe.send(report)
        while True:
            try:
                return self._heard.get(timeout=_TURN)
            except Empty:
                self._halt.wait(0)

    def _listen(self) -> None:
        try:
            while self._pipe.recv() is None:
                self._heard.put(None)
            self._halt.set()
            self._pipe.recv()
        except (EOFError, OSError):
            # Nobody writes down any more what is done, whoever else may do it now.
            os._exit(ExitCode.CRASH)


class Crew:
    """Workers that were forked from this process, which must have no other thread.

    Args:
        count: how many.
        work: what each of them does, in its own process; it is told by ``halt`` to stop, and what
            it raises ends all.
        halt: the work's; a fork's copy of it is set when the work ends.
        again: what to type after a worker has died.
    """

    def __init__(self, count: int, work: Callable[[Link], None], halt: Halt, again: str) -> None:
        self._again = again
        self._halt = halt
        self._workers: dict[Connection, BaseProcess] = {}
        # What is there now is never collected in the forks, so what nobody needs goes first.
        gc.collect()
        try:
            for _ in range(count):
                self._start(work)
        except BaseException:
            self._end()
            raise

    def run(
        self,
        hear: Callable[[int, Any], None],
        write_down: Callable[[], None],
        on_turn: Callable[[], None],
    ) -> None:
        """Hear the workers until all have ended. Whatever happens, none is left.

        Args:
            hear: told the number of a worker, and its report.
            write_down: called behind some reports, before their workers go on.
            on_turn: called at least every second; what it raises ends the work.

        Raises:
            OperatorError: a worker died; or as it raised it.
            Halted: ``halt`` was set.
        """
        numbers = {pipe: number for number, pipe in enumerate(self._workers)}
        try:
            while self._workers:
                heard = []
                for pipe in connection.wait(list(self._workers), _TURN):
                    assert isinstance(pipe, Connection)
                    report = self._report(pipe)
                    if not isinstance(report, _Ended):
                        hear(numbers[pipe], report)
                        heard.append(pipe)
                if heard:
                    write_down()
                for pipe in heard:
                    _send(pipe, None)
                on_turn()
        finally:
            self._end()

    def _start(self, work: Callable[[Link], None]) -> None:
        ours, theirs = _fork.Pipe()
        # A worker that held another's pipe would keep it open when this process has died.
        close = [*self._workers, ours]
        worker = _fork.Process(
            target=_work, args=(theirs, close, work, self._halt), name="worker", daemon=True
        )
        worker.start()
        theirs.close()
        self._workers[ours] = worker

    def _report(self, pipe: Connection) -> Any:
        try:
            report = pipe.recv()
        except (EOFError, OSError):
            raise self._died(self._workers.pop(pipe)) from None
        if isinstance(report, _Ended):
            self._workers.pop(pipe).join()
            pipe.close()
            if report.error:
                raise report.error
        return report

    def _died(self, worker: BaseProcess) -> OperatorError:
        worker.join(_GRACE)
        code = worker.exitcode
        how = f"ended with code {code}"
        if code is not None and code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        return OperatorError(
            f"A process of this command, {worker.pid}, {how}. The kernel kills one for want of "
            "memory, and says so in its log.",
            self._again,
        )

    def _end(self) -> None:
        """Let what is on the wire end, and every worker."""
        for pipe in self._workers:
            _send(pipe, "halt")
        until = _clock.elapsed() + _GRACE
        speaking = list(self._workers)
        while speaking and (left := until - _clock.elapsed()) > 0:
            for heard in connection.wait(speaking, left):
                assert isinstance(heard, Connection)
                # Read, though nobody hears it: a worker waits until all of a report is read.
                if _is_last(heard):
                    speaking.remove(heard)
        for pipe, worker in self._workers.items():
            worker.join(max(0.0, until - _clock.elapsed()))
            if worker.is_alive():
                worker.kill()
                worker.join()
            pipe.close()
        self._workers.clear()


def _is_last(pipe: Connection) -> bool:
    try:
        return isinstance(pipe.recv(), _Ended)
    except (EOFError, OSError):
        return True


def _send(pipe: Connection, word: str | None) -> None:
    # One that has ended hears nothing; how it ended, the next look tells.
    with suppress(OSError):
        pipe.send(word)


def _work(
    pipe: Connection, close: list[Connection], work: Callable[[Link], None], halt: Halt
) -> None:
    # What was forked is never collected here, and so stays one memory for all.
    gc.freeze()
    # The connections of what was forked are its parent's, which goes on to read from them.
    clients.forget()
    # Who asks the command to stop asks all of its processes; they end when it says so.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for other in close:
        other.close()
    # What a rule in Python prints is no part of the command's result.
    sys.stdout = sys.stderr
    gc.set_threshold(*_GC_THRESHOLDS)
    error: BaseException | None = None
    try:
        work(Link(pipe, halt))
    except BaseException as raised:
        error = raised
        if not isinstance(error, OperatorError | Halted):
            # Where it was is not told along.
            error.add_note("".join(traceback.format_exception(error)))
    pipe.send(_Ended(error))
