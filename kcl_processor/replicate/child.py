"""A record processor that is a program: ``python -m kcl_processor.replicate.child PROPERTIES``.

It is started for each shard where the properties name no fork server, and speaks the MultiLang
protocol on stdin and stdout until its input ends.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TextIO

from kcl_processor.config.settings import read_settings
from kcl_processor.errors import ExitCode, OperatorError
from kcl_processor.log import log_to_stderr
from kcl_processor.replicate.consumption import Consumption
from kcl_processor.replicate.lifeline import Lifeline

_log = logging.getLogger(__name__)


def main() -> NoReturn:
    """Run the record processor, then exit with an ``errors.ExitCode``."""
    protocol = take_stdout()
    leave_signals_to_the_daemon()
    log_to_stderr()
    end_with(lambda: _run_alone(protocol))


def _run_alone(protocol: TextIO) -> None:
    # It takes most of a start, and settings may be refused before it.
    from kcl_processor.replicate.work import Work

    settings, lifeline = read_settings(Path(sys.argv[1])), Lifeline(sys.stdin.fileno())
    # Nobody asks a program for it.
    work = Work(settings, lifeline, Consumption())
    work.begin()
    try:
        work.run(sys.stdin, protocol)
    finally:
        work.end()


def end_with(action: Callable[[], None]) -> NoReturn:
    """Do it, and end this process with the ``errors.ExitCode`` that it comes to."""
    code = outcome(action)
    sys.stderr.flush()
    # Threads may be in a request that no longer matters; a normal exit would wait for them.
    os._exit(code)


def outcome(action: Callable[[], None]) -> int:
    """Do it, and return the ``errors.ExitCode`` that it comes to."""
    try:
        action()
    except OperatorError as error:
        _log.error("%s Try: %s", error.message, error.hint)
        return int(error.exit_code)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(ExitCode.BUG)
    except BaseException:
        _log.exception("the MultiLang protocol broke")
        return int(ExitCode.BUG)
    return int(ExitCode.OK)


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


if __name__ == "__main__":
    main()
