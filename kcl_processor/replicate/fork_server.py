"""Forks the processes that read shards: ``kcl-processor-fork-server PROPERTIES SOCKET``.

It imports everything that a record processor needs once, for all of them. For each shard the
launcher (``ForkServer``) connects to the socket and says the shard's id; what answers, with its
number and its process' id, is the shard's record processor, and from there on the connection is its
input and output. How they end is told on stdout, ``NUMBER CODE`` a line, where a signal is 128 and
its number. To ``consumed``, a line on its stdin, it answers ``consumed UNITS``: what all that it
forked have consumed of the destination. It ends with its stdin.

A few shards have a process each. Of many some share one, each on a thread of its own: what a
process dirties of the memory that it has from its parent, 12 MB at work, is what shards cost.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from kcl_processor.config.settings import Settings, read_settings
from kcl_processor.errors import ExitCode, of_disk
from kcl_processor.log import log_to_stderr, speak_for
from kcl_processor.replicate import child
from kcl_processor.replicate.consumption import Consumption
from kcl_processor.replicate.lifeline import Lifeline

if TYPE_CHECKING:
    from kcl_processor.replicate.work import Work

_log = logging.getLogger(__name__)

_CONSUMED = b"consumed\n"
_BACKLOG = 1024
# As many as have something to do at the same time; up to so many shards each has a process.
LEAST_PROCESSES = 8
PROCESSES = max(LEAST_PROCESSES, 2 * (os.cpu_count() or 1))
# Bytes of a shard's number on its way to its process.
_NUMBER = 8


def main() -> NoReturn:
    """Serve until the launcher is gone, then exit with an ``errors.ExitCode``."""
    told = child.take_stdout()
    child.leave_signals_to_the_daemon()
    log_to_stderr()
    path = Path(sys.argv[2])
    child.end_with(lambda: _serve(read_settings(Path(sys.argv[1])), path, told))


def _serve(settings: Settings, path: Path, told: TextIO) -> None:
    # It takes most of a start, and settings may be refused before it.
    from kcl_processor.replicate.work import Work

    consumption = Consumption()
    work = Work(settings, Lifeline(sys.stdin.fileno()), consumption)
    listener = _listen(path)
    # Python imports it at the first connection by name.
    "".encode("idna")
    # What is there now is never collected, and so stays one memory for all forks.
    gc.collect()
    gc.freeze()
    try:
        _Server(listener, told, work, consumption).run()
    finally:
        path.unlink(missing_ok=True)
        # A folder that was made for it alone, where the worker's path is too long; the worker's own
        # is not empty.
        with contextlib.suppress(OSError):
            path.parent.rmdir()


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise of_disk(
            error,
            f"No socket can be made at {path}: {error.strerror or error}.",
            "--state-dir with a folder on a disk of this host's, which takes Unix sockets",
        ) from error
    listener.listen(_BACKLOG)
    return listener


@dataclass
class _Process:
    """One that was forked.

    Attributes:
        control: its end of the socket that shards go to it by, and the news of their end come.
        place: where it counts what it consumes.
        shards: the numbers of those that it reads.
    """

    pid: int
    control: socket.socket
    place: int
    shards: set[int] = field(default_factory=set)
    unread: bytes = b""

    def give(self, number: int, connection: socket.socket) -> None:
        """Hand it a shard's connection, and tell the launcher. Whose other side is gone, it ends
        with that; if it has died itself, its end is told next."""
        self.shards.add(number)
        with contextlib.suppress(OSError):
            connection.sendall(b"%d %d\n" % (number, self.pid))
        with contextlib.suppress(OSError):
            data = number.to_bytes(_NUMBER, "big")
            socket.send_fds(self.control, [data], [connection.fileno()])

    def news(self) -> list[str]:
        """Shards that ended, as ``NUMBER CODE``, since this was asked last."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while data := self.control.recv(4096, socket.MSG_DONTWAIT):
                self.unread += data
        *lines, self.unread = self.unread.split(b"\n")
        self.shards -= {int(line.split()[0]) for line in lines}
        return [line.decode() for line in lines]


class _Server:
    """Forks, hands shards out, tells how they end. It has one thread, as whatever forks must."""

    def __init__(
        self, listener: socket.socket, told: TextIO, work: Work, consumption: Consumption
    ) -> None:
        self._listener = listener
        self._told = told
        self._work = work
        self._consumption = consumption
        self._numbers = itertools.count(1)
        self._processes: dict[int, _Process] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._wakes = socket.socketpair()
        self._wakes.settimeout(0)

    def run(self) -> None:
        """Serve until stdin ends."""
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for file in (self._listener, self._woken, 0):
            self._selector.register(file, selectors.EVENT_READ)
        self._tell("ready")
        try:
            self._hear_all()
        finally:
            # The socket goes with this server, and forks that end after it are nobody's news.
            signal.set_wakeup_fd(-1)

    def _hear_all(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._take_shard()
                elif key.fileobj is self._woken:
                    self._woken.recv(4096)
                    self._reap()
                elif key.data:
                    self._hear(key.data)
                elif not (asked := os.read(0, 4096)):
                    return
                elif asked.endswith(_CONSUMED):
                    self._tell(f"consumed {self._consumption.total():.2f}")

    def _take_shard(self) -> None:
        process = None
        try:
            # Before the connection is there, of which a fork would hold a copy.
            process = self._process_for_one_more()
        except OSError as error:
            # The launcher ends the daemon with a reason, and the others checkpoint.
            _log.error("no record processor can be forked: %s", error.strerror)
        connection, _ = self._listener.accept()
        with connection:
            if process:
                process.give(next(self._numbers), connection)

    def _process_for_one_more(self) -> _Process:
        at_work = [process for process in self._processes.values() if process.shards]
        if len(at_work) < PROCESSES:
            return self._fork()
        return min(at_work, key=lambda process: len(process.shards))

    def _fork(self) -> _Process:
        ours, theirs = socket.socketpair()
        place = self._consumption.place()
        pid = os.fork()
        if pid == 0:
            self._consumption.take(place)
            # Whatever it ends with, it must not come back to the server's own end.
            child.end_with(lambda: self._become_process(ours, theirs))
        theirs.close()
        process = self._processes[pid] = _Process(pid, ours, place)
        self._selector.register(ours, selectors.EVENT_READ, process)
        return process

    def _become_process(self, ours: socket.socket, theirs: socket.socket) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        self._told.close()
        others = (process.control for process in self._processes.values())
        for end in (self._listener, self._woken, self._wakes, ours, *others):
            end.close()
        _Shards(theirs, self._work).run()

    def _hear(self, process: _Process) -> None:
        if process.control.fileno() < 0:
            return
        for line in process.news():
            self._tell(line)
        if not process.shards:
            self._let_go(process)

    def _let_go(self, process: _Process) -> None:
        """It ends with its last shard."""
        self._selector.unregister(process.control)
        process.control.close()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            process = self._processes.pop(pid)
            self._consumption.end(process.place)
            self._hear(process)
            if process.shards:
                code = os.waitstatus_to_exitcode(status)
                for number in process.shards:
                    self._tell(f"{number} {code if code >= 0 else 128 - code}")
                self._let_go(process)

    def _tell(self, line: str) -> None:
        try:
            print(line, file=self._told, flush=True)
        except BrokenPipeError:
            # The launcher is gone; the forks see it by themselves.
            raise SystemExit(ExitCode.CRASH) from None


class _Shards:
    """The shards of a forked process."""

    def __init__(self, control: socket.socket, work: Work) -> None:
        self._control = control
        self._work = work

    def run(self) -> None:
        """Take shards until there are no more to come, and work until they end."""
        self._work.begin()
        threads: list[threading.Thread] = []
        for number, files in self._handed():
            if thread := self._started(number, files):
                threads = [*(other for other in threads if other.is_alive()), thread]
        for thread in threads:
            thread.join()
        self._work.end()

    def _started(self, number: int, files: list[int]) -> threading.Thread | None:
        """A shard's thread. Without a file or a thread left for it, the shard fails alone."""
        with contextlib.ExitStack() as unless_started:
            try:
                connection = unless_started.enter_context(socket.socket(fileno=files[0]))
                thread = threading.Thread(target=self._read, args=(number, connection))
                thread.start()
            except (IndexError, RuntimeError) as error:
                _log.error("no record processor can be started: %r. Try: ulimit -a", error)
                self._ended(number, ExitCode.CRASH)
                return None
            # Else the daemon would wait there for an answer.
            unless_started.pop_all()
        return thread

    def _handed(self) -> Iterator[tuple[int, list[int]]]:
        """The numbers of shards and the files that came with them, until no more can come."""
        with contextlib.suppress(ConnectionError):
            while received := socket.recv_fds(self._control, _NUMBER, 1):
                if not received[0]:
                    return
                yield int.from_bytes(received[0], "big"), received[1]

    def _read(self, number: int, connection: socket.socket) -> None:
        """Read one shard until its end; how it ends is its own, and the others go on."""
        with connection:
            code = child.outcome(lambda: self._speak(connection))
        self._ended(number, code)

    def _ended(self, number: int, code: int) -> None:
        # Without a server there is no daemon to tell.
        with contextlib.suppress(OSError):
            self._control.sendall(b"%d %d\n" % (number, code))

    def _speak(self, connection: socket.socket) -> None:
        with (
            connection.makefile("r", encoding="utf-8") as messages,
            connection.makefile("w", encoding="utf-8") as answers,
        ):
            speak_for(messages.readline().rstrip("\n"))
            self._work.run(messages, answers)


if __name__ == "__main__":
    main()
