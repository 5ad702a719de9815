"""Runs a command once for the daemon, and says how it ended: ``kcl-processor-look COMMAND``.

The launcher (``ThrottleCommand``) starts it for each look, and reads from its stdout the command's
exit code, where a signal is 128 and its number, or ``late``. The command has a process group of its
own, no input and no output. The group is killed when the command has ended, when its time is over,
and when the daemon is gone or waits no longer: it has let go of our stdin then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import NoReturn

from kcl_processor.replicate.lifeline import Lifeline

# Seconds; the launcher waits for a little longer (``Throttle.java``).
LONGEST = 10.0
LATE = "late"


def main() -> NoReturn:
    """Run it, print how it ended, and exit."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # They reach the daemon's whole group, and it decides. What is ignored here would be so for
        # the command; what is handled is not.
        signal.signal(name, lambda *_: None)
    print(outcome(sys.argv[1], Lifeline(sys.stdin.fileno()), LONGEST), flush=True)
    sys.exit()


def outcome(command: str, lifeline: Lifeline, longest: float) -> str:
    """How a command ended within so many seconds."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    lifeline.watch(0, lambda: _kill_group(process.pid))
    try:
        code = process.wait(longest)
    except subprocess.TimeoutExpired:
        return LATE
    finally:
        _kill_group(process.pid)
        process.wait()
    return str(code if code >= 0 else 128 - code)


def _kill_group(leader: int) -> None:
    # It may have nobody in it any more.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    main()
