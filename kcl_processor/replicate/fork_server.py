"""The process that is forked for each shard: ``kcl-processor-fork-server PROPERTIES SOCKET``.

It imports everything that a record processor needs once, for all of them. For each shard the
launcher (``ForkServer``) connects to the socket and says the shard's id; the fork answers with its
process id, and from there on the connection is its standard input and output. How forks end is told
on stdout, ``PID CODE`` a line, where a signal is 128 and its number. It ends with its stdin.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from kcl_processor.config.settings import Settings, read_settings
from kcl_processor.errors import ExitCode
from kcl_processor.log import log_to_stderr
from kcl_processor.replicate import child

_log = logging.getLogger(__name__)

_BACKLOG = 1024


def main() -> NoReturn:
    """Serve until the launcher is gone, then exit with an ``errors.ExitCode``."""
    told = child.take_stdout()
    child.leave_signals_to_the_daemon()
    log_to_stderr()
    path = Path(sys.argv[2])
    child.end_with(lambda: _serve(read_settings(Path(sys.argv[1])), path, told))


def _serve(settings: Settings, path: Path, told: TextIO) -> None:
    run = child.assembled(settings)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(_BACKLOG)
    # Python imports it at the first connection by name.
    "".encode("idna")
    # What is there now is never collected, and so stays one memory for all forks.
    gc.collect()
    gc.freeze()
    try:
        _Server(listener, told, run).run()
    finally:
        path.unlink(missing_ok=True)
        # A folder that was made for it alone, where the worker's path is too long; the worker's own
        # is not empty.
        with contextlib.suppress(OSError):
            path.parent.rmdir()


class _Server:
    """Forks, and tells how forks end. It has one thread, as whatever forks must."""

    def __init__(
        self, listener: socket.socket, told: TextIO, become: Callable[[TextIO], None]
    ) -> None:
        self._listener = listener
        self._told = told
        self._become = become
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
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._fork()
                elif key.fileobj is self._woken:
                    self._woken.recv(4096)
                    self._reap()
                elif not os.read(0, 4096):
                    return

    def _fork(self) -> None:
        connection, _ = self._listener.accept()
        try:
            if os.fork() == 0:
                # Whatever it ends with, it must not come back to the server's own end.
                child.end_with(lambda: self._become_child(connection))
        except OSError as error:
            # The launcher ends the daemon with a reason, and the other forks checkpoint.
            _log.error("no record processor can be forked: %s", error.strerror)
        connection.close()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            code = os.waitstatus_to_exitcode(status)
            self._tell(f"{pid} {code if code >= 0 else 128 - code}")

    def _become_child(self, connection: socket.socket) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for end in (self._listener, self._woken, self._wakes, self._told):
            end.close()
        os.dup2(connection.fileno(), 0)
        connection.close()
        log_to_stderr(f"{_first_line()} ")
        protocol = os.fdopen(os.dup(0), "w", encoding="utf-8")
        print(os.getpid(), file=protocol, flush=True)
        self._become(protocol)

    def _tell(self, line: str) -> None:
        try:
            print(line, file=self._told, flush=True)
        except BrokenPipeError:
            # The launcher is gone; the forks see it by themselves.
            os._exit(ExitCode.CRASH)


def _first_line() -> str:
    """Read byte by byte: what follows is the MultiLang protocol's."""
    line = b""
    while (byte := os.read(0, 1)) not in (b"\n", b""):
        line += byte
    return line.decode()


if __name__ == "__main__":
    main()
