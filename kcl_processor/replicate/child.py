"""The record processor of one shard.

It is forked by :mod:`kcl_processor.replicate.fork_server`, or started as ``python -m
kcl_processor.replicate.child PROPERTIES`` where the properties name no fork server. It speaks the
MultiLang protocol on stdin and stdout until its input ends.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from kcl_processor.clock import SystemClock
from kcl_processor.config.settings import Settings, read_settings
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.log import log_to_stderr
from kcl_processor.replicate.lifeline import Lifeline
from kcl_processor.replicate.watchdog import Watchdog
from kcl_processor.state.worker_lock import share

_log = logging.getLogger(__name__)

# Share of KCL's failover time for which a checkpoint proves ownership. The rest is for a request
# that is already on the wire to arrive before another worker can have taken the lease.
PROOF_SHARE = 0.6
# Seconds that this process outlives its daemon at most. It sends nothing from that moment on, but
# waits for the answers of what it has sent; a new daemon waits with it.
LAST_ANSWERS = 15.0
# Failover times that KCL may go on delivering records to a processor that lost its lease.
_LOST_PATIENCE = 6


def main() -> NoReturn:
    """Run the record processor, then exit with an ``errors.ExitCode``."""
    protocol = take_stdout()
    leave_signals_to_the_daemon()
    log_to_stderr()
    end_with(lambda: assembled(read_settings(Path(sys.argv[1])))(protocol))


def end_with(action: Callable[[], None]) -> NoReturn:
    """Do it, and end this process with the ``errors.ExitCode`` that it comes to."""
    try:
        action()
        code = int(ExitCode.OK)
    except OperatorError as error:
        _log.error("%s Try: %s", error.message, error.hint)
        code = int(error.exit_code)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(ExitCode.BUG)
    except BaseException:
        _log.exception("the MultiLang protocol broke")
        code = int(ExitCode.BUG)
    sys.stderr.flush()
    # Threads may be in a request that no longer matters; a normal exit would wait for them.
    os._exit(code)


def take_stdout() -> TextIO:
    """Keep the protocol's stdout to ourselves and give everybody else stderr.

    A stray print, even from C, would break a reply in two; from here on it lands in the log.
    """
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return protocol


def leave_signals_to_the_daemon() -> None:
    """Ctrl-C and a supervisor's signals reach the whole process group; the daemon decides.

    It asks for a last checkpoint and then closes our input, which is how this process ends.
    """
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)


def assembled(settings: Settings) -> Callable[[TextIO], None]:
    """Put together all that needs neither a shard nor a thread, so that a fork finds it made.

    Returns:
        What runs the record processor until its input ends, given where its answers go.

    Raises:
        ConfigError: the bundle of certificates cannot be used.
    """
    # They take most of a start, and a fork server's settings may be refused before it.
    from amazon_kclpy import kcl

    from kcl_processor.replicate.processor import ReplicaProcessor
    from kcl_processor.replicate.shard import ShardOpener

    clock = SystemClock()
    watchdog = Watchdog(settings.watchdog, clock)
    lifeline = Lifeline(sys.stdin.fileno())
    opener = ShardOpener(
        settings,
        clock,
        proof_lifetime=settings.failover_time * PROOF_SHARE,
        wait=time.sleep,
        on_progress=watchdog.progress,
        daemon_lives=lifeline.holds,
    )
    processor = ReplicaProcessor(
        opener.open,
        clock,
        busy=watchdog.busy,
        lost_patience=_LOST_PATIENCE * settings.failover_time,
    )

    def run(protocol: TextIO) -> None:
        # First of all: a new daemon of this worker counts on it.
        if settings.lock:
            share(Path(settings.lock))
        lifeline.watch(LAST_ANSWERS, lambda: os._exit(ExitCode.CRASH))
        try:
            kcl.KCLProcess(processor, sys.stdin, protocol, sys.stderr).run()
        finally:
            opener.close()

    return run


if __name__ == "__main__":
    main()
